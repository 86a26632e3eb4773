package queue

import (
	"context"

	"github.com/adauldev/octaskly/queue/task"
)

// Applied is what became of a proposed command.
type Applied struct {
	Index uint64
	Reply any // what State.Apply answered
}

// Log orders commands and makes them durable. Every implementation passes
// queuetest.LogSuite.
type Log interface {
	// Propose hands one encoded command to the log, which keeps it unchanged.
	// Commands proposed from one goroutine commit in the order of the calls.
	// done is called exactly once, from another goroutine, and must not wait for
	// other commands: after the command is durable and applied, or with an
	// error. After an
	// error of task.KindNoDispatcher or task.KindUnavailable the command may
	// still commit; all others mean that it never will.
	Propose(cmd []byte, done func(Applied, error))

	// Leader reports whether this node may propose now, and in which term.
	Leader() (term uint64, ok bool)

	// LeaderChanged is closed at the next change of what Leader reports.
	LeaderChanged() <-chan struct{}

	// Barrier returns when everything committed before the call is applied.
	Barrier(ctx context.Context) error

	// Close stops the log. Commands that are not yet committed fail.
	Close() error
}

// ErrNotLeader refuses a change where it cannot be made.
var ErrNotLeader = task.Errorf(task.KindNoDispatcher, "this node does not dispatch now").
	WithHint("ask again in a moment, or ask the node that dispatches")
