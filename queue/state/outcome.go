package state

import (
	"container/heap"
	"fmt"

	"github.com/adauldev/octaskly/queue/internal/bugs"
	"github.com/adauldev/octaskly/queue/task"
)

func (s *State) applyRecord(r *reader) any {
	n := r.count()
	if r.err == nil && n > task.MaxBatch {
		return badCommand(fmt.Errorf("%d outcomes", n))
	}
	replies := make([]RecordReply, 0, n)
	var o Outcome
	for range n {
		readOutcome(r, &o)
		if r.err != nil {
			break
		}
		replies = append(replies, s.record(&o))
	}
	if err := r.end(); err != nil {
		return badCommand(err)
	}
	return replies
}

func (s *State) record(o *Outcome) RecordReply {
	id := uint64(o.ID)
	st := s.table.state(id)
	if st == 0 {
		return RecordReply{Verdict: UnknownTask}
	}
	l := s.active.get(id)
	if !st.Holds() || (!bugs.Planted.NoFence && (l.term != o.Fence.Term || l.attempt != o.Fence.Attempt || o.Node != "" && s.nodes[l.node] != o.Node)) {
		return RecordReply{s.judgeLate(id, l, st, o.Fence), stored(st)}
	}
	a := task.Attempt{
		Fence: o.Fence, Node: o.Node, Assigned: l.granted, Started: o.Started, Ended: o.Ended,
		Exit: o.Exit, Usage: o.Usage, Enforced: o.Enforced, Output: o.Output,
	}
	if a.Node == "" {
		a.Node = s.nodes[l.node]
	}
	end := endState(&o.Exit, l.cancel)
	if (end == task.Failed || end == task.Timeout) && s.retries(id, l, &o.Exit) {
		s.delay(id, l, st, &a)
		return RecordReply{Recorded, task.Retry}
	}
	if end != task.Done && end != task.Cancelled {
		l.failures++
	}
	s.finish(id, l, end, &a)
	return RecordReply{Recorded, end}
}

// stored is the state as replicas know it: Running is volatile.
func stored(st task.State) task.State {
	if st == task.Running {
		return task.Assigned
	}
	return st
}

// judgeLate tells an outcome that was recorded before from one that is stale.
func (s *State) judgeLate(id uint64, l *activeTask, st task.State, f task.Fence) RecordVerdict {
	var last task.Fence
	switch {
	case l != nil:
		last = task.Fence{Term: l.term, Attempt: l.attempt}
	case st.Terminal():
		if b, err := s.lookup(numKey{kind: kindState, id: id}); err == nil && b != nil {
			if r, err := parseRecord(b, false); err == nil {
				last = task.Fence{Term: r.term, Attempt: r.attempt}
			}
		}
	}
	if f == last && (st == task.Retry || st.Terminal()) {
		return AlreadyRecorded
	}
	return Fenced
}

// retries reports whether a failed attempt is followed by another.
func (s *State) retries(id uint64, l *activeTask, x *task.Exit) bool {
	terms := s.table.page(id).retry[id%pageSize]
	if l.failures >= uint32(terms&retryCount) {
		return false
	}
	var list []int32
	if terms&retryOnList != 0 {
		if _, it, err := s.itemOf(id, true); err == nil {
			if spec, err := decodeSpec(it.spec); err == nil {
				list = spec.RetryOn
			}
		}
	}
	return worthRetry(x, list)
}

// delay makes a task wait for its next attempt.
func (s *State) delay(id uint64, l *activeTask, from task.State, a *task.Attempt) {
	l.failures++
	fixed := s.table.page(id).retry[id%pageSize]&retryFixed != 0
	l.notBefore = s.now + RetryDelay(task.ID(id), l.failures, fixed).Milliseconds()
	s.putAttempt(l, a)
	s.move(id, task.Retry)
	s.putLive(l, task.Retry)
	heap.Push(&s.delayed, due{l.notBefore, id})
	if s.delayed[0].id == id {
		select {
		case s.sooner <- struct{}{}:
		default:
		}
	}
	s.feed.add(s.position.index, &Change{Time: s.now, ID: task.ID(id), From: from, To: task.Retry, Node: a.Node, Fence: a.Fence, Exit: a.Exit})
}
