package cli

import (
	"context"
	"errors"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// The exit codes that are the program's own. Beside them node.ExitStuck (75)
// ends a dispatcher that hangs.
const (
	exitOK       = 0
	exitFailed   = 1
	exitUsage    = 2
	exitPartly   = 8
	exitInternal = 70
	exitTimeout  = 124 // the task's time ran out, as coreutils' timeout says it
	exitOurs     = 125 // Octaskly failed; nothing is known of the task's own code
	exitNoExec   = 126
	exitNoFile   = 127
	exitSignal   = 128 // and the number of the signal
	exitStopped  = 130 // interrupted here
)

// silent ends the program with a code and without a word: everything was said.
type silent int

// Error is never printed.
func (s silent) Error() string { return "" }

// exitCode is what the process ends with. follows is set for verbs that end
// with a task's code, where our own failures must not look like the task's.
func exitCode(err error, follows bool) int {
	var code silent
	var sig signalled
	var known *task.Error
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &sig):
		return sig.code()
	case follows:
		return exitOurs
	case errors.As(err, &known):
		return control.ErrorKindOf(known.Kind).Exit
	case errors.Is(err, context.DeadlineExceeded):
		return control.ErrorKindOf(task.KindTimeout).Exit
	}
	return exitFailed
}

// outcomeCode is the exit code of a verb that followed a task to its end: the
// task's own where it has one.
func outcomeCode(t *task.Task) int {
	var exit task.Exit
	if last := t.Last(); last != nil {
		exit = last.Exit
	}
	switch t.State {
	case task.Done:
		return exitOK
	case task.Timeout:
		return exitTimeout
	case task.Failed:
		return failedCode(exit)
	case task.Cancelled:
		if exit.Signal > 0 {
			return exitSignal + int(exit.Signal)
		}
		return exitStopped
	}
	return exitOurs
}

func failedCode(exit task.Exit) int {
	switch exit.Reason {
	case task.ReasonNotFound:
		return exitNoFile
	case task.ReasonNotExecutable:
		return exitNoExec
	case "", task.ReasonBadDir, task.ReasonDeclined, task.ReasonNodeLost, task.ReasonUnkillable, task.ReasonPoison:
		return exitOurs
	}
	switch {
	case exit.Signal > 0:
		return exitSignal + int(exit.Signal)
	case exit.Code > 0 && exit.Code <= 255:
		return int(exit.Code)
	}
	return exitFailed
}
