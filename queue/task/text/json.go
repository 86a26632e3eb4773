package text

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/adauldev/octaskly/queue/task"
)

// MaxDocument is the longest document that is read, in bytes.
const MaxDocument = 96 << 20

// ReadTask reads one task from JSON. The error is a *Error of kind usage
// that names the field. Spec.Check is not called: standard input may still be
// too large to ride in the task and has to be stored first.
//
// A document that Octaskly wrote is read back as a new task: what it says about
// the old one is left out.
func ReadTask(data []byte) (task.NewTask, error) {
	return readTaskOver(task.NewTask{Spec: task.Spec{Priority: task.PriorityNormal}}, data)
}

// readTaskOver is ReadTask for a document whose absent fields stand in sub. It writes
// into the maps and lists of sub.
func readTaskOver(sub task.NewTask, data []byte) (task.NewTask, error) {
	if len(data) > MaxDocument {
		return sub, task.Errorf(task.KindTooLarge, "the task has %s, at most %s are read", task.FormatBytes(len(data)), task.FormatBytes(MaxDocument))
	}
	fields, err := objectFields(data)
	if err != nil {
		return sub, err
	}
	seen := map[string]bool{}
	for _, f := range fields {
		seen[f.name] = true
	}
	for _, f := range fields {
		if err := readField(&sub, f, seen["schema"]); err != nil {
			return sub, err
		}
	}
	if !seen["command"] {
		return sub, task.Errorf(task.KindUsage, "field command is missing").
			WithHint(`the least that works is {"command": "echo hello"}`)
	}
	return sub, nil
}

type field struct {
	name  string
	value json.RawMessage
}

// objectFields splits an object into its fields, in order. A field that stands
// twice is refused, because two readers would not agree which one counts.
func objectFields(data []byte) ([]field, error) {
	if !utf8.Valid(data) {
		return nil, task.Errorf(task.KindUsage, "the task is not valid UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	open, err := dec.Token()
	if err != nil {
		return nil, jsonFault(data, dec, err)
	}
	if open != json.Delim('{') {
		return nil, task.Errorf(task.KindUsage, "a task is an object, not %s", jsonKind(firstByte(data))).
			WithHint(`as in {"command": "echo hello"}`)
	}
	var out []field
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, jsonFault(data, dec, err)
		}
		f := field{name: name.(string)} //nolint:forcetypeassert // the decoder allows nothing else here
		if err := dec.Decode(&f.value); err != nil {
			return nil, jsonFault(data, dec, err)
		}
		if slices.ContainsFunc(out, func(o field) bool { return o.name == f.name }) {
			return nil, task.Errorf(task.KindUsage, "field %q stands twice", f.name)
		}
		out = append(out, f)
	}
	if _, err := dec.Token(); err != nil {
		return nil, jsonFault(data, dec, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, task.Errorf(task.KindUsage, "something follows the task at byte %d; one task stands on one line", dec.InputOffset())
	}
	return out, nil
}

func jsonFault(data []byte, dec *json.Decoder, err error) error {
	at := dec.InputOffset()
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return task.Errorf(task.KindUsage, "not valid JSON at byte %d: %s", syntax.Offset, syntax.Error())
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || int(at) >= len(data) {
		return task.Errorf(task.KindUsage, "not valid JSON: it ends in the middle")
	}
	return task.Errorf(task.KindUsage, "not valid JSON at byte %d: %s", at, err)
}

func firstByte(v []byte) byte {
	if v = bytes.TrimSpace(v); len(v) > 0 {
		return v[0]
	}
	return 0
}

// jsonKind names the kind of value that begins with c.
func jsonKind(c byte) string {
	switch {
	case c == '"':
		return "text"
	case c == '{':
		return "an object"
	case c == '[':
		return "a list"
	case c == 't' || c == 'f':
		return "true or false"
	case c == 'n':
		return "null"
	}
	return "a number"
}

// derivedFields are the fields that Octaskly fills in. In a document it wrote they are
// left out when it is read back; anywhere else they are a mistake.
var derivedFields = []string{
	"id", "state", "node", "submitted", "assigned", "started", "finished", "not_before", "attempt", "max_attempts",
	"exit", "usage", "live", "output", "stdin_ref", "retry_of", "submitter", "attempts",
}

func readField(sub *task.NewTask, f field, ours bool) error {
	if read, ok := readers[f.name]; ok {
		if string(f.value) == "null" && f.name != "command" {
			return nil
		}
		return read(sub, f.value)
	}
	if slices.Contains(derivedFields, f.name) {
		if ours {
			return nil
		}
		return task.Errorf(task.KindUsage, "field %q is told by Octaskly, it cannot be asked for", f.name)
	}
	e := task.Errorf(task.KindUsage, "there is no field %q", cut(f.name))
	if near := nearestField(f.name); near != "" {
		return e.WithHint("did you mean %q?", near)
	}
	return e.WithHint("the fields are: %s", strings.Join(Fields(), ", "))
}

// Fields lists what may be asked for in a document, sorted.
func Fields() []string {
	out := make([]string, 0, len(readers))
	for name := range readers {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
