package queuetest

import "github.com/adauldev/octaskly/queue"

// LateLog is a Log whose Propose returns only when the change has settled, as
// it may happen on a busy machine. Whoever holds a lock while he proposes, and
// takes it when the change settles, hangs on it for good.
type LateLog struct{ queue.Log }

// Propose proposes and waits until done was called.
func (l LateLog) Propose(cmd []byte, done func(queue.Applied, error)) {
	settled := make(chan struct{})
	l.Log.Propose(cmd, func(a queue.Applied, err error) {
		done(a, err)
		close(settled)
	})
	<-settled
}
