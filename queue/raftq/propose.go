package raftq

import (
	"context"
	"errors"

	"github.com/hashicorp/raft"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/task"
)

// proposal is a command on its way and who is to be told.
type proposal struct {
	f    raft.ApplyFuture
	done func(queue.Applied, error)
}

// Propose hands a command to raft. It blocks while raft has more than it can
// take.
func (l *Log) Propose(cmd []byte, done func(queue.Applied, error)) {
	l.prop.Lock()
	defer l.prop.Unlock()
	if l.refuse {
		go done(queue.Applied{}, errClosed)
		return
	}
	f := l.raft.Apply(cmd, 0)
	l.fifo.Lock()
	l.list = append(l.list, proposal{f, done})
	l.some.Signal()
	l.fifo.Unlock()
}

var (
	errClosed = task.Errorf(task.KindUnavailable, "the queue is closed").
			WithHint("the dispatcher is stopping; try again when it is back")
	errNotLeader = task.Errorf(task.KindNoDispatcher, "this node does not dispatch now").
			WithHint("ask again in a moment, or ask the node that dispatches")
)

// answer waits for each proposal in turn and tells its proposer. It ends when
// the log was closed and all are told.
func (l *Log) answer(context.Context) {
	var batch []proposal
	for {
		l.fifo.Lock()
		for len(l.list) == 0 && !l.ended {
			l.some.Wait()
		}
		batch, l.list = l.list, batch[:0]
		l.fifo.Unlock()
		if len(batch) == 0 {
			return
		}
		for i, p := range batch {
			batch[i] = proposal{}
			if err := p.f.Error(); err != nil {
				p.done(queue.Applied{}, translateError(err))
				continue
			}
			p.done(queue.Applied{Index: p.f.Index(), Reply: p.f.Response()}, nil)
		}
	}
}

// translateError says in our words why raft did not commit.
func translateError(err error) error {
	switch {
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress):
		return errNotLeader
	case errors.Is(err, raft.ErrRaftShutdown):
		return errClosed
	}
	e := task.Errorf(task.KindUnavailable, "it is not known whether the change was stored").
		WithHint("ask again with the same idempotency key")
	e.Cause = err
	return e
}
