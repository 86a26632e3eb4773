package state

import "github.com/adauldev/octaskly/queue/task"

func (s *State) applyCancel(r *reader) any {
	_ = r.bytes() // on whose behalf; in the log for the audit
	list, err := readList(r, readID)
	if err != nil {
		return badCommand(err)
	}
	replies := make([]CancelReply, len(list))
	for i, id := range list {
		replies[i] = s.cancel(uint64(id))
	}
	return replies
}

func (s *State) cancel(id uint64) CancelReply {
	st := s.table.state(id)
	c := CancelReply{ID: task.ID(id), State: stored(st)}
	switch {
	case st == 0:
		c.Verdict = CancelNotFound
	case st.Terminal():
		c.Verdict = CancelTooLate
	case st.Holds():
		l := s.active.get(id)
		c.Verdict, c.Node, c.Fence = CancelPending, s.nodes[l.node], task.Fence{Term: l.term, Attempt: l.attempt}
		if !l.cancel {
			l.cancel = true
			s.putLive(l, task.Assigned)
		}
	default:
		c.Verdict, c.State = CancelDone, task.Cancelled
		slot := s.table.page(id).class[id%pageSize]
		s.finish(id, s.active.get(id), task.Cancelled, nil)
		s.trim(slot)
	}
	return c
}
