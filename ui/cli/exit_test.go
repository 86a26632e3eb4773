package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
)

func TestExitCode(t *testing.T) {
	for name, c := range map[string]struct {
		err           error
		verb, follows int
	}{
		"fine":          {nil, 0, 0},
		"said already":  {silent(8), 8, 8},
		"usage":         {task.Errorf(task.KindUsage, "x"), 2, 125},
		"too large":     {task.Errorf(task.KindTooLarge, "x"), 2, 125},
		"not found":     {task.Errorf(task.KindNotFound, "x"), 3, 125},
		"not allowed":   {task.Errorf(task.KindNotAllowed, "x"), 4, 125},
		"no dispatcher": {task.Errorf(task.KindNoDispatcher, "x"), 5, 125},
		"conflict":      {task.Errorf(task.KindConflict, "x"), 6, 125},
		"timed out":     {task.Errorf(task.KindTimeout, "x"), 7, 125},
		"full":          {task.Errorf(task.KindFull, "x"), 1, 125},
		"disk":          {task.Errorf(task.KindDisk, "x"), 1, 125},
		"ours":          {task.Errorf(task.KindInternal, "x"), 70, 125},
		"wrapped":       {fmt.Errorf("step: %w", task.Errorf(task.KindConflict, "x")), 6, 125},
		"plain":         {errors.New("x"), 1, 125},
		"deadline":      {context.DeadlineExceeded, 7, 125},
		"interrupt":     {signalled{os.Interrupt}, 130, 130},
		"terminate":     {signalled{syscall.SIGTERM}, 143, 143},
	} {
		if got := exitCode(c.err, false); got != c.verb {
			t.Errorf("%s: a verb ends with %d, want %d", name, got, c.verb)
		}
		if got := exitCode(c.err, true); got != c.follows {
			t.Errorf("%s: a verb that follows ends with %d, want %d", name, got, c.follows)
		}
	}
}

func TestOutcomeCode(t *testing.T) {
	for name, c := range map[string]struct {
		state task.State
		exit  task.Exit
		want  int
	}{
		"done":             {task.Done, task.Exit{Reason: task.ReasonExit}, 0},
		"failed":           {task.Failed, task.Exit{Code: 7, Reason: task.ReasonExit}, 7},
		"failed with 125":  {task.Failed, task.Exit{Code: 125, Reason: task.ReasonExit}, 125},
		"failed with 255":  {task.Failed, task.Exit{Code: 255, Reason: task.ReasonExit}, 255},
		"a code of 32 bit": {task.Failed, task.Exit{Code: -1073741510, Reason: task.ReasonExit}, 1},
		"killed":           {task.Failed, task.Exit{Code: 137, Signal: 9, Reason: task.ReasonSignal}, 137},
		"segfault":         {task.Failed, task.Exit{Code: 139, Signal: 11, Reason: task.ReasonSignal}, 139},
		"memory":           {task.Failed, task.Exit{Code: 137, Signal: 9, Reason: task.ReasonLimitPrefix + "memory"}, 137},
		"not found":        {task.Failed, task.Exit{Code: 127, Reason: task.ReasonNotFound}, 127},
		"not executable":   {task.Failed, task.Exit{Code: 126, Reason: task.ReasonNotExecutable}, 126},
		"no directory":     {task.Failed, task.Exit{Code: 125, Reason: task.ReasonBadDir}, 125},
		"node lost":        {task.Failed, task.Exit{Reason: task.ReasonNodeLost}, 125},
		"poison":           {task.Failed, task.Exit{Reason: task.ReasonPoison}, 125},
		"timeout":          {task.Timeout, task.Exit{Code: 143, Signal: 15, Reason: task.ReasonTimeout}, 124},
		"cancelled":        {task.Cancelled, task.Exit{}, 130},
		"cancelled, TERM":  {task.Cancelled, task.Exit{Code: 143, Signal: 15, Reason: task.ReasonCancelled}, 143},
		"lost":             {task.Lost, task.Exit{}, 125},
	} {
		v := task.Task{State: c.state, Attempts: []task.Attempt{{Exit: c.exit}}}
		if got := outcomeCode(&v); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	never := task.Task{State: task.Cancelled}
	if got := outcomeCode(&never); got != 130 {
		t.Errorf("cancelled before it ran: %d, want 130", got)
	}
}
