package task

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxDocument is the longest document that is read, in bytes.
const MaxDocument = 96 << 20

// MaxStdin is the largest standard input a task may have; beyond
// MaxInlineStdin it is stored beside the queue.
const MaxStdin = 64 << 20

// Submission is a task as somebody asks for it: a Document on its way in.
type Submission struct {
	Spec Spec
	Key  string
}

// ParseDocument reads one task from JSON. The error is a *Error of kind usage
// that names the field. Spec.Check is not called: standard input may still be
// too large to ride in the task and has to be stored first.
//
// A document that Octaskly wrote is read back as a new task: what it says about
// the old one is left out.
func ParseDocument(data []byte) (Submission, error) {
	sub := Submission{Spec: Spec{Priority: PriorityNormal}}
	if len(data) > MaxDocument {
		return sub, Errorf(KindTooLarge, "the task has %s, at most %s are read", bytesText(len(data)), bytesText(MaxDocument))
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
		return sub, Errorf(KindUsage, "field command is missing").
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
		return nil, Errorf(KindUsage, "the task is not valid UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	open, err := dec.Token()
	if err != nil {
		return nil, jsonFault(data, dec, err)
	}
	if open != json.Delim('{') {
		return nil, Errorf(KindUsage, "a task is an object, not %s", jsonKind(firstByte(data))).
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
			return nil, Errorf(KindUsage, "field %q stands twice", f.name)
		}
		out = append(out, f)
	}
	if _, err := dec.Token(); err != nil {
		return nil, jsonFault(data, dec, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, Errorf(KindUsage, "something follows the task at byte %d; one task stands on one line", dec.InputOffset())
	}
	return out, nil
}

func jsonFault(data []byte, dec *json.Decoder, err error) error {
	at := dec.InputOffset()
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return Errorf(KindUsage, "not valid JSON at byte %d: %s", syntax.Offset, syntax.Error())
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || int(at) >= len(data) {
		return Errorf(KindUsage, "not valid JSON: it ends in the middle")
	}
	return Errorf(KindUsage, "not valid JSON at byte %d: %s", at, err)
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

// told are the fields that Octaskly fills in. In a document it wrote they are
// left out when it is read back; anywhere else they are a mistake.
var told = []string{
	"id", "state", "node", "submitted", "assigned", "started", "finished", "not_before", "attempt", "max_attempts",
	"exit", "usage", "live", "output", "stdin_ref", "retry_of", "submitter", "attempts",
}

func readField(sub *Submission, f field, ours bool) error {
	if read, ok := readers[f.name]; ok {
		if string(f.value) == "null" && f.name != "command" {
			return nil
		}
		return read(sub, f.value)
	}
	if slices.Contains(told, f.name) {
		if ours {
			return nil
		}
		return Errorf(KindUsage, "field %q is told by Octaskly, it cannot be asked for", f.name)
	}
	e := Errorf(KindUsage, "there is no field %q", cut(f.name))
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

// readers is how each field is read. It is filled in init because a reader's
// error may list the fields.
var readers map[string]func(*Submission, json.RawMessage) error

func init() {
	readers = map[string]func(*Submission, json.RawMessage) error{
		"schema":  readSchema,
		"command": readCommand,
		"name":    text("name", func(s *Submission) *string { return &s.Spec.Name }),
		"tags": func(s *Submission, v json.RawMessage) error {
			return decode(v, "tags", "a list of texts", &s.Spec.Tags)
		},
		"timeout":     readTimeout,
		"grace":       readGrace,
		"retry_count": func(s *Submission, v json.RawMessage) error { return whole(v, "retry_count", &s.Spec.Retries) },
		"backoff":     readBackoff,
		"retry_on": func(s *Submission, v json.RawMessage) error {
			return decode(v, "retry_on", "a list of exit codes", &s.Spec.RetryOn)
		},
		"priority": readPriority,
		"delivery": readDelivery,
		"cpus":     readCPUs,
		"memory_limit_mb": func(s *Submission, v json.RawMessage) error {
			return whole(v, "memory_limit_mb", &s.Spec.Need.MemoryMB)
		},
		"disk_limit_mb":  func(s *Submission, v json.RawMessage) error { return whole(v, "disk_limit_mb", &s.Spec.Need.DiskMB) },
		"cpu_time_limit": readCPUTime,
		"max_open_files": func(s *Submission, v json.RawMessage) error {
			return whole(v, "max_open_files", &s.Spec.Need.Limits.OpenFiles)
		},
		"max_processes": func(s *Submission, v json.RawMessage) error {
			return whole(v, "max_processes", &s.Spec.Need.Limits.Processes)
		},
		"output_limit_mb": func(s *Submission, v json.RawMessage) error {
			return whole(v, "output_limit_mb", &s.Spec.Need.Limits.OutputMB)
		},
		"gpus": func(s *Submission, v json.RawMessage) error { return whole(v, "gpus", &s.Spec.Need.GPUs) },
		"labels": func(s *Submission, v json.RawMessage) error {
			return decode(v, "labels", "an object of texts", &s.Spec.Need.Labels)
		},
		"on":  text("on", func(s *Submission) *string { return &s.Spec.Need.On }),
		"dir": text("dir", func(s *Submission) *string { return &s.Spec.Dir }),
		"env": func(s *Submission, v json.RawMessage) error {
			return decode(v, "env", "an object of texts", &s.Spec.Env)
		},
		"secret_env":      readSecrets,
		"stdin":           readStdin,
		"keep":            func(s *Submission, v json.RawMessage) error { return decode(v, "keep", "true or false", &s.Spec.Keep) },
		"sandbox_level":   text("sandbox_level", func(s *Submission) *string { return &s.Spec.Need.Sandbox }),
		"idempotency_key": readKey,
	}
}

// decode reads a value of one JSON type.
func decode(v json.RawMessage, name, want string, into any) error {
	if err := json.Unmarshal(v, into); err != nil {
		return Errorf(KindUsage, "field %s is %s; it takes %s", name, show(v), want)
	}
	return nil
}

func text(name string, at func(*Submission) *string) func(*Submission, json.RawMessage) error {
	return func(s *Submission, v json.RawMessage) error { return decode(v, name, "text", at(s)) }
}

// whole reads a whole number that is not negative.
func whole[T int32 | int64](v json.RawMessage, name string, into *T) error {
	var n T
	if err := json.Unmarshal(v, &n); err != nil || n < 0 {
		return Errorf(KindUsage, "field %s is %s; it takes a whole number, 0 or more", name, show(v))
	}
	*into = n
	return nil
}

func readSchema(_ *Submission, v json.RawMessage) error {
	var s string
	if json.Unmarshal(v, &s) != nil || s != Schema {
		return Errorf(KindUsage, "field schema is %s; this version reads %q", show(v), Schema)
	}
	return nil
}

func readCommand(s *Submission, v json.RawMessage) error {
	switch firstByte(v) {
	case '"':
		return decode(v, "command", "text", &s.Spec.Shell)
	case '[':
		if err := decode(v, "command", "text, or a list of a program and its arguments", &s.Spec.Argv); err != nil {
			return err
		}
		if len(s.Spec.Argv) == 0 {
			return Errorf(KindUsage, "field command is an empty list; there is nothing to run")
		}
		return nil
	}
	return Errorf(KindUsage, "field command is %s; it takes text, or a list of a program and its arguments", show(v))
}

func readTimeout(s *Submission, v json.RawMessage) error {
	d, err := seconds(v, "timeout")
	s.Spec.Timeout = d
	return err
}

func readGrace(s *Submission, v json.RawMessage) error {
	d, err := seconds(v, "grace")
	s.Spec.Grace = d
	return err
}

func readCPUTime(s *Submission, v json.RawMessage) (err error) {
	var n float64
	var t string
	switch {
	case json.Unmarshal(v, &n) == nil:
		t = strconv.FormatFloat(n, 'f', -1, 64)
	case json.Unmarshal(v, &t) != nil:
		return Errorf(KindUsage, `field cpu_time_limit is %s; it takes seconds (90) or text ("10m")`, show(v))
	}
	if s.Spec.Need.Limits.CPUTime, err = ParseCPUTime(t); err != nil {
		return Errorf(KindUsage, "field cpu_time_limit: %w", err)
	}
	return nil
}

// seconds reads a number of seconds or a text such as "10m"; 0 becomes -1, as
// in Spec.
func seconds(v json.RawMessage, name string) (d time.Duration, err error) {
	var n float64
	var t string
	switch {
	case json.Unmarshal(v, &n) == nil:
		d, err = TimeoutOf(n)
	case json.Unmarshal(v, &t) == nil:
		d, err = ParseTimeout(t)
	default:
		return 0, Errorf(KindUsage, `field %s is %s; it takes seconds (90) or text ("10m")`, name, show(v))
	}
	if err != nil {
		return 0, Errorf(KindUsage, "field %s: %w", name, err).WithHint("%s", HintOf(err))
	}
	return d, nil
}

func readBackoff(s *Submission, v json.RawMessage) (err error) {
	var t string
	if err := decode(v, "backoff", `"exponential" or "fixed"`, &t); err != nil {
		return err
	}
	s.Spec.Backoff, err = ParseBackoff(t)
	return err
}

func readPriority(s *Submission, v json.RawMessage) (err error) {
	var t string
	if json.Unmarshal(v, &t) == nil {
		s.Spec.Priority, err = ParsePriority(t)
		return err
	}
	var n float64
	if json.Unmarshal(v, &n) != nil || n != math.Trunc(n) || n < 0 || n > PriorityCritical {
		return Errorf(KindUsage, "field priority is %s; it takes 0 to 100, or low, normal, high, critical", show(v))
	}
	s.Spec.Priority = uint8(n)
	return nil
}

func readDelivery(s *Submission, v json.RawMessage) (err error) {
	var t string
	if err := decode(v, "delivery", `"at-least-once" or "at-most-once"`, &t); err != nil {
		return err
	}
	s.Spec.Delivery, err = ParseDelivery(t)
	return err
}

func readCPUs(s *Submission, v json.RawMessage) (err error) {
	var n float64
	if err := decode(v, "cpus", "a number", &n); err != nil {
		return err
	}
	s.Spec.Need.CPU, err = CPUsOf(n)
	return err
}

func readStdin(s *Submission, v json.RawMessage) error {
	var t string
	if err := decode(v, "stdin", "text", &t); err != nil {
		return err
	}
	if len(t) > MaxStdin {
		return Errorf(KindTooLarge, "field stdin has %s, at most %s can be given", bytesText(len(t)), bytesText(MaxStdin))
	}
	s.Spec.Stdin = []byte(t)
	return nil
}

// readSecrets refuses secrets in a document: they would be stored in clear, and
// the names that Octaskly writes have no values.
func readSecrets(_ *Submission, v json.RawMessage) error {
	var names []string
	if json.Unmarshal(v, &names) == nil && len(names) == 0 {
		return nil
	}
	return Errorf(KindUsage, "field secret_env: a document holds no secrets, for they would stand in it in clear").
		WithHint("submit the task with --secret-env NAME=@FILE")
}

func readKey(s *Submission, v json.RawMessage) error {
	if err := decode(v, "idempotency_key", "text", &s.Key); err != nil {
		return err
	}
	return CheckKey(s.Key)
}

// show is a value for an error message: whole if it is short.
func show(v json.RawMessage) string {
	s := string(bytes.TrimSpace(v))
	if len(s) > 40 {
		return fmt.Sprintf("%s of %s", jsonKind(s[0]), bytesText(len(s)))
	}
	return s
}

// cut shortens a text for an error message.
func cut(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
