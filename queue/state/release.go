package state

import (
	"fmt"

	"github.com/adauldev/octaskly/queue/task"
)

func (s *State) applyRelease(r *reader) any {
	list, err := readList(r, readRelease)
	if err != nil {
		return badCommand(err)
	}
	replies := make([]ReleaseReply, len(list))
	for i := range list {
		replies[i] = s.release(&list[i])
	}
	return replies
}

func (s *State) release(t *Release) ReleaseReply {
	id := uint64(t.ID)
	st := s.table.state(id)
	l := s.active.get(id)
	if !st.Holds() || l.term != t.Fence.Term || l.attempt != t.Fence.Attempt {
		return ReleaseReply{false, stored(st)}
	}
	clean := t.Why == Declined || t.Why == NeverStarted
	a := task.Attempt{
		Fence: t.Fence, Node: s.nodes[l.node], Assigned: l.granted, Started: t.Started, Ended: s.now,
		Output: t.Output,
		Exit:   task.Exit{Reason: task.ReasonNodeLost, Message: t.Message},
	}
	if clean {
		a.Exit.Reason = task.ReasonDeclined
	} else {
		l.crashes++
	}
	p := s.table.page(id)
	switch {
	case l.cancel:
		s.finish(id, l, task.Cancelled, &a)
		return ReleaseReply{true, task.Cancelled}
	case clean:
	case s.classes[p.class[id%pageSize]].delivery == task.AtMostOnce:
		s.finish(id, l, task.Lost, &a)
		return ReleaseReply{true, task.Lost}
	case l.crashes >= MaxCrashes:
		a.Exit = task.Exit{Reason: task.ReasonPoison, Message: fmt.Sprintf("%d workers were lost while they ran it; the last time: %s", l.crashes, t.Message)}
		s.finish(id, l, task.Failed, &a)
		return ReleaseReply{true, task.Failed}
	default:
		s.putAttempt(l, &a)
	}
	l.node = 0
	s.move(id, task.Queued)
	s.putLive(l, task.Queued)
	s.enqueueReady(id)
	s.feed.add(s.position.index, &Change{Time: s.now, ID: t.ID, From: st, To: task.Queued, Node: a.Node, Fence: t.Fence, Exit: a.Exit})
	return ReleaseReply{true, task.Queued}
}
