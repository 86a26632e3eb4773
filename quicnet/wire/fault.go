package wire

import (
	"strings"
	"unicode"

	"github.com/adauldev/octaskly/queue/task"
)

const maxFault = 16 << 10

// Fault is an error in reply to a request: the kind decides what the caller
// does, the words are for people.
type Fault struct {
	Kind    task.Kind `msgpack:"k"`
	Message string    `msgpack:"m"`
	Hint    string    `msgpack:"h,omitempty"`
}

func (Fault) WireKind() Kind { return KindFault }

// FaultOf is what is sent for err. Words beyond what a frame holds are cut.
func FaultOf(err error) Fault {
	return Fault{Kind: task.KindOf(err), Message: clip(err.Error()), Hint: clip(task.HintOf(err))}
}

// Err is the error that the fault stands for.
func (f Fault) Err() error {
	kind := f.Kind
	if kind == "" || len(kind) > 32 || !plain(string(kind), false) {
		kind = task.KindInternal
	}
	return &task.Error{Kind: kind, Message: readable(f.Message, false), Hint: readable(f.Hint, true)}
}

// readable makes a peer's words harmless: who sent them may not even be a member.
func readable(s string, lines bool) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || r == '\n' && lines {
			return r
		}
		return '�'
	}, s)
}

// FaultError is the error that a Fault frame stands for, or that of decoding it.
func FaultError(frame Frame) error {
	var f Fault
	if err := Decode(frame, &f); err != nil {
		return err
	}
	return f.Err()
}

func clip(s string) string {
	const most = 4 << 10
	if len(s) > most {
		return s[:most-3] + "..."
	}
	return s
}
