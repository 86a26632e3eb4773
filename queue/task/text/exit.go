package text

import (
	"strconv"

	"github.com/adauldev/octaskly/queue/task"
)

// Exit says in words how an attempt ended: "exit 0", "signal 9",
// "exit 137 (limit:memory): 64 MiB"; the reason where no code is known.
func Exit(e *task.Exit) string {
	t := "exit " + strconv.Itoa(int(e.Code))
	switch {
	case !e.HasCode() && e.Message != "":
		return e.Message
	case !e.HasCode():
		return string(e.Reason)
	case e.Reason == task.ReasonSignal:
		t = "signal " + strconv.Itoa(int(e.Signal))
	case e.Reason != task.ReasonExit && e.Reason != "":
		t += " (" + string(e.Reason) + ")"
	}
	if e.Message != "" {
		t += ": " + e.Message
	}
	return t
}

// Command is what a task runs, on one line as a person would type it for a shell.
func Command(s *task.Spec) string {
	switch {
	case s.Shell != "":
		return s.Shell
	case len(s.Argv) > 0:
		return QuoteShell(s.Argv...)
	case s.Null:
		return "(nothing)"
	}
	return ""
}
