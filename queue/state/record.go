package state

import (
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// record is where a task stands, as stored under its state key. Attempts
// before the last one have keys of their own; the attempt that is going on or
// was the last is inside.
type record struct {
	state     task.State // never Running
	cancel    bool
	tombstone bool // removed; its block still holds others
	term      uint64
	attempt   uint32
	failures  uint32
	history   uint32
	crashes   uint8
	notBefore int64
	finished  int64
	last      *task.Attempt // nil: none, or all under their own keys
}

const (
	flagCancel = 1 << iota
	flagTombstone
	flagLast
)

func (r *record) append(b []byte) []byte {
	var flags byte
	if r.cancel {
		flags |= flagCancel
	}
	if r.tombstone {
		flags |= flagTombstone
	}
	if r.last != nil {
		flags |= flagLast
	}
	b = append(b, byte(r.state), flags)
	b = putUint(b, r.term)
	b = putUint(b, uint64(r.attempt))
	b = putUint(b, uint64(r.failures))
	b = putUint(b, uint64(r.history))
	b = append(b, r.crashes)
	b = putInt(b, r.notBefore)
	b = putInt(b, r.finished)
	if r.last != nil {
		b = appendAttempt(b, r.last)
	}
	return b
}

func parseRecord(b []byte, withLast bool) (record, error) {
	p := reader{b: b}
	r := record{state: task.State(p.byte())}
	flags := p.byte()
	r.cancel, r.tombstone = flags&flagCancel != 0, flags&flagTombstone != 0
	r.term = p.uint()
	r.attempt = p.uint32()
	r.failures = p.uint32()
	r.history = p.uint32()
	r.crashes = p.byte()
	r.notBefore = p.int()
	r.finished = p.int()
	if r.state < task.Queued || r.state > task.Lost || r.state == task.Running {
		p.fail()
	}
	if flags&flagLast == 0 {
		return r, p.end()
	}
	if !withLast {
		return r, p.err
	}
	a := readAttempt(&p)
	r.last = &a
	return r, p.end()
}

func appendAttempt(b []byte, a *task.Attempt) []byte {
	b = putUint(b, a.Fence.Term)
	b = putUint(b, uint64(a.Fence.Attempt))
	b = putString(b, string(a.Node))
	b = putInt(b, a.Assigned)
	b = putInt(b, a.Started)
	b = putInt(b, a.Ended)
	b = appendExit(b, &a.Exit)
	b = putInt(b, int64(a.Usage.CPU))
	b = putInt(b, a.Usage.MaxRSS)
	b = putInt(b, a.Usage.Written)
	b = putString(b, a.Enforced)
	b = appendOutput(b, &a.Output)
	return b
}

func readAttempt(r *reader) task.Attempt {
	return task.Attempt{
		Fence:    task.Fence{Term: r.uint(), Attempt: r.uint32()},
		Node:     task.NodeID(r.string()),
		Assigned: r.int(),
		Started:  r.int(),
		Ended:    r.int(),
		Exit:     readExit(r),
		Usage:    task.Usage{CPU: time.Duration(r.int()), MaxRSS: r.int(), Written: r.int()},
		Enforced: r.string(),
		Output:   readOutput(r),
	}
}

func appendExit(b []byte, x *task.Exit) []byte {
	b = putInt(b, int64(x.Code))
	b = putInt(b, int64(x.Signal))
	b = putString(b, string(x.Reason))
	return putString(b, x.Message)
}

func readExit(r *reader) task.Exit {
	return task.Exit{Code: int32(r.int()), Signal: int32(r.int()), Reason: readReason(r), Message: r.string()}
}

// readReason avoids an allocation for the common reasons.
func readReason(r *reader) task.Reason {
	b := r.bytes()
	switch string(b) {
	case string(task.ReasonExit):
		return task.ReasonExit
	case string(task.ReasonSignal):
		return task.ReasonSignal
	case string(task.ReasonTimeout):
		return task.ReasonTimeout
	case string(task.ReasonCancelled):
		return task.ReasonCancelled
	}
	return task.Reason(b)
}

func appendOutput(b []byte, o *task.Output) []byte {
	b = putBytes(b, o.Inline)
	b = putInt(b, o.Bytes)
	b = putInt(b, o.Length)
	b = putBytes(b, o.SHA256)
	return putString(putBool(b, o.Truncated), o.CutBy)
}

func readOutput(r *reader) task.Output {
	return task.Output{Inline: clip(r.bytes()), Bytes: r.int(), Length: r.int(), SHA256: clip(r.bytes()), Truncated: r.bool(), CutBy: r.string()}
}

// clip makes an empty part nil.
func clip(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}
