package state

import (
	"fmt"

	"github.com/adauldev/octaskly/queue/task"
)

func (s *State) applyReturn(r *reader) any {
	list, err := readList(r, readReturn)
	if err != nil {
		return badCommand(err)
	}
	replies := make([]ReturnReply, len(list))
	for i := range list {
		replies[i] = s.giveBack(&list[i])
	}
	return replies
}

func (s *State) giveBack(t *Return) ReturnReply {
	id := uint64(t.ID)
	st := s.cells.state(id)
	l := s.lives.get(id)
	if !st.Holds() || l.term != t.Fence.Term || l.attempt != t.Fence.Attempt {
		return ReturnReply{false, stored(st)}
	}
	clean := t.Why == Declined || t.Why == NeverStarted
	a := task.Attempt{
		Fence: t.Fence, Node: s.nodes[l.node], Assigned: l.granted, Ended: s.now,
		Exit: task.Exit{Reason: task.ReasonNodeLost, Message: t.Message},
	}
	if clean {
		a.Exit.Reason = task.ReasonDeclined
	} else {
		l.crashes++
	}
	p := s.cells.page(id)
	switch {
	case l.cancel:
		s.finish(id, l, task.Cancelled, &a)
		return ReturnReply{true, task.Cancelled}
	case clean:
	case s.classes[p.class[id%pageSize]].delivery == task.AtMostOnce:
		s.finish(id, l, task.Lost, &a)
		return ReturnReply{true, task.Lost}
	case l.crashes >= MaxCrashes:
		a.Exit = task.Exit{Reason: task.ReasonPoison, Message: fmt.Sprintf("%d workers were lost while they ran it", l.crashes)}
		s.finish(id, l, task.Failed, &a)
		return ReturnReply{true, task.Failed}
	default:
		s.putAttempt(l, &a)
	}
	l.node = 0
	s.move(id, task.Queued)
	s.putLive(l, task.Queued)
	s.enready(id)
	s.feed.add(s.top.index, &Change{Time: s.now, ID: t.ID, From: st, To: task.Queued, Node: a.Node, Fence: t.Fence, Exit: a.Exit})
	return ReturnReply{true, task.Queued}
}
