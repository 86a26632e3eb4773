package text

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// readers is how each field is read. It is filled in init because a reader's
// error may list the fields.
var readers map[string]func(*task.NewTask, json.RawMessage) error

func init() {
	readers = map[string]func(*task.NewTask, json.RawMessage) error{
		"schema":  readSchema,
		"command": readCommand,
		"name":    textField("name", func(s *task.NewTask) *string { return &s.Spec.Name }),
		"tags": func(s *task.NewTask, v json.RawMessage) error {
			return decode(v, "tags", "a list of texts", &s.Spec.Tags)
		},
		"timeout":     readTimeout,
		"grace":       readGrace,
		"retry_count": func(s *task.NewTask, v json.RawMessage) error { return whole(v, "retry_count", &s.Spec.Retries) },
		"backoff":     readBackoff,
		"retry_on": func(s *task.NewTask, v json.RawMessage) error {
			return decode(v, "retry_on", "a list of exit codes", &s.Spec.RetryOn)
		},
		"inputs":   noFiles("inputs"),
		"outputs":  noFiles("outputs"),
		"priority": readPriority,
		"delivery": readDelivery,
		"cpus":     readCPUs,
		"memory_limit_mb": func(s *task.NewTask, v json.RawMessage) error {
			return whole(v, "memory_limit_mb", &s.Spec.Need.MemoryMB)
		},
		"disk_limit_mb":  func(s *task.NewTask, v json.RawMessage) error { return whole(v, "disk_limit_mb", &s.Spec.Need.DiskMB) },
		"cpu_time_limit": readCPUTime,
		"max_open_files": func(s *task.NewTask, v json.RawMessage) error {
			return whole(v, "max_open_files", &s.Spec.Need.Limits.OpenFiles)
		},
		"max_processes": func(s *task.NewTask, v json.RawMessage) error {
			return whole(v, "max_processes", &s.Spec.Need.Limits.Processes)
		},
		"output_limit_mb": func(s *task.NewTask, v json.RawMessage) error {
			return whole(v, "output_limit_mb", &s.Spec.Need.Limits.OutputMB)
		},
		"gpus": func(s *task.NewTask, v json.RawMessage) error { return whole(v, "gpus", &s.Spec.Need.GPUs) },
		"labels": func(s *task.NewTask, v json.RawMessage) error {
			return decode(v, "labels", "an object of texts", &s.Spec.Need.Labels)
		},
		"on":  textField("on", func(s *task.NewTask) *string { return &s.Spec.Need.On }),
		"dir": textField("dir", func(s *task.NewTask) *string { return &s.Spec.Dir }),
		"env": func(s *task.NewTask, v json.RawMessage) error {
			return decode(v, "env", "an object of texts", &s.Spec.Env)
		},
		"secret_env": readSecrets,
		"stdin":      readStdin,
		"keep": func(s *task.NewTask, v json.RawMessage) error {
			return decode(v, "keep", "true or false", &s.Spec.Keep)
		},
		"sandbox_level":   textField("sandbox_level", func(s *task.NewTask) *string { return &s.Spec.Need.Sandbox }),
		"idempotency_key": readKey,
	}
}

// decode reads a value of one JSON type.
func decode(v json.RawMessage, name, want string, into any) error {
	if err := json.Unmarshal(v, into); err != nil {
		return task.Errorf(task.KindUsage, "field %s is %s; it takes %s", name, show(v), want)
	}
	return nil
}

func textField(name string, at func(*task.NewTask) *string) func(*task.NewTask, json.RawMessage) error {
	return func(s *task.NewTask, v json.RawMessage) error { return decode(v, name, "text", at(s)) }
}

// whole reads a whole number that is not negative.
func whole[T int32 | int64](v json.RawMessage, name string, into *T) error {
	var n T
	if err := json.Unmarshal(v, &n); err != nil || n < 0 {
		return task.Errorf(task.KindUsage, "field %s is %s; it takes a whole number, 0 or more", name, show(v))
	}
	*into = n
	return nil
}

func readSchema(_ *task.NewTask, v json.RawMessage) error {
	var s string
	if json.Unmarshal(v, &s) != nil || s != Schema {
		return task.Errorf(task.KindUsage, "field schema is %s; this version reads %q", show(v), Schema)
	}
	return nil
}

func readCommand(s *task.NewTask, v json.RawMessage) error {
	switch firstByte(v) {
	case '"':
		return decode(v, "command", "text", &s.Spec.Shell)
	case '[':
		if err := decode(v, "command", "text, or a list of a program and its arguments", &s.Spec.Argv); err != nil {
			return err
		}
		if len(s.Spec.Argv) == 0 {
			return task.Errorf(task.KindUsage, "field command is an empty list; there is nothing to run")
		}
		return nil
	}
	return task.Errorf(task.KindUsage, "field command is %s; it takes text, or a list of a program and its arguments", show(v))
}

func readTimeout(s *task.NewTask, v json.RawMessage) error {
	d, err := seconds(v, "timeout")
	s.Spec.Timeout = d
	return err
}

func readGrace(s *task.NewTask, v json.RawMessage) error {
	d, err := seconds(v, "grace")
	s.Spec.Grace = d
	return err
}

func readCPUTime(s *task.NewTask, v json.RawMessage) (err error) {
	var n float64
	var t string
	switch {
	case json.Unmarshal(v, &n) == nil:
		t = strconv.FormatFloat(n, 'f', -1, 64)
	case json.Unmarshal(v, &t) != nil:
		return task.Errorf(task.KindUsage, `field cpu_time_limit is %s; it takes seconds (90) or text ("10m")`, show(v))
	}
	if s.Spec.Need.Limits.CPUTime, err = ParseCPUTime(t); err != nil {
		return task.Errorf(task.KindUsage, "field cpu_time_limit: %w", err)
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
		return 0, task.Errorf(task.KindUsage, `field %s is %s; it takes seconds (90) or text ("10m")`, name, show(v))
	}
	if err != nil {
		return 0, task.Errorf(task.KindUsage, "field %s: %w", name, err).WithHint("%s", task.HintOf(err))
	}
	return d, nil
}

func readBackoff(s *task.NewTask, v json.RawMessage) (err error) {
	var t string
	if err := decode(v, "backoff", `"exponential" or "fixed"`, &t); err != nil {
		return err
	}
	s.Spec.Backoff, err = ParseBackoff(t)
	return err
}

func readPriority(s *task.NewTask, v json.RawMessage) (err error) {
	var t string
	if json.Unmarshal(v, &t) == nil {
		s.Spec.Priority, err = ParsePriority(t)
		return err
	}
	var n float64
	if json.Unmarshal(v, &n) != nil || n != math.Trunc(n) || n < 0 || n > task.PriorityCritical {
		return task.Errorf(task.KindUsage, "field priority is %s; it takes 0 to 100, or low, normal, high, critical", show(v))
	}
	s.Spec.Priority = uint8(n)
	return nil
}

func readDelivery(s *task.NewTask, v json.RawMessage) (err error) {
	var t string
	if err := decode(v, "delivery", `"at-least-once" or "at-most-once"`, &t); err != nil {
		return err
	}
	s.Spec.Delivery, err = ParseDelivery(t)
	return err
}

func readCPUs(s *task.NewTask, v json.RawMessage) (err error) {
	var n float64
	if err := decode(v, "cpus", "a number", &n); err != nil {
		return err
	}
	s.Spec.Need.CPU, err = CPUsOf(n)
	return err
}

func readStdin(s *task.NewTask, v json.RawMessage) error {
	var t string
	if err := decode(v, "stdin", "text", &t); err != nil {
		return err
	}
	if len(t) > task.MaxStdin {
		return task.Errorf(task.KindTooLarge, "field stdin has %s, at most %s can be given", task.FormatBytes(len(t)), task.FormatBytes(task.MaxStdin))
	}
	s.Spec.Stdin = []byte(t)
	return nil
}

// readSecrets refuses secrets in a document: they would be stored in clear, and
// the names that Octaskly writes have no values.
func readSecrets(_ *task.NewTask, v json.RawMessage) error {
	var names []string
	if json.Unmarshal(v, &names) == nil && len(names) == 0 {
		return nil
	}
	return task.Errorf(task.KindUsage, "field secret_env: a document holds no secrets, for they would stand in it in clear").
		WithHint("submit the task with --secret-env NAME=@FILE")
}

func readKey(s *task.NewTask, v json.RawMessage) error {
	if err := decode(v, "idempotency_key", "text", &s.Key); err != nil {
		return err
	}
	return task.CheckKey(s.Key)
}

// show is a value for an error message: whole if it is short.
func show(v json.RawMessage) string {
	s := string(bytes.TrimSpace(v))
	if len(s) > 40 {
		return fmt.Sprintf("%s of %s", jsonKind(s[0]), task.FormatBytes(len(s)))
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

// noFiles reads a list of files, which the original had, as long as it is empty:
// tasks do not carry files yet.
func noFiles(name string) func(*task.NewTask, json.RawMessage) error {
	return func(_ *task.NewTask, v json.RawMessage) error {
		var files []json.RawMessage
		if err := decode(v, name, "a list of files", &files); err != nil {
			return err
		}
		if len(files) > 0 {
			return task.Errorf(task.KindUsage, "%s: tasks do not carry files yet", name).
				WithHint("give content as stdin, or name paths that every node has")
		}
		return nil
	}
}
