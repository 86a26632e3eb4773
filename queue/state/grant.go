package state

import (
	"github.com/adauldev/octaskly/queue/internal/bugs"
	"github.com/adauldev/octaskly/queue/task"
)

func (s *State) applyGrant(r *reader, term uint64) any {
	node := task.NodeID(r.string())
	list, err := readList(r, readGrant)
	if err != nil {
		return badCommand(err)
	}
	slot := s.slotOfNode(node)
	verdicts := make([]GrantVerdict, len(list))
	for i := range list {
		verdicts[i] = s.grant(&list[i], slot, term)
	}
	return verdicts
}

func (s *State) grant(g *Grant, node uint32, term uint64) GrantVerdict {
	id := uint64(g.ID)
	l := s.active.get(id)
	switch v := s.judgeGrant(g, l, term); v {
	case Granted:
	case GrantStale:
		s.untake(id)
		return v
	default:
		return v
	}
	if l == nil {
		l = s.active.add(id)
	}
	l.term, l.attempt, l.node = g.Fence.Term, g.Fence.Attempt, node
	l.granted, l.started, l.notBefore = s.now, 0, 0
	from := s.move(id, task.Assigned)
	p := s.table.page(id)
	s.trim(p.class[id%pageSize])
	s.putLive(l, task.Assigned)
	s.feed.add(s.position.index, &Change{Time: s.now, ID: g.ID, From: from, To: task.Assigned, Node: s.nodes[node], Fence: g.Fence})
	return Granted
}

func (s *State) judgeGrant(g *Grant, l *activeTask, term uint64) GrantVerdict {
	switch st := s.table.state(uint64(g.ID)); {
	case st == task.Queued:
	case st == task.Retry && l.notBefore <= s.now:
	default:
		return GrantNotNow
	}
	if bugs.Planted.LowerTerm {
		return Granted
	}
	if g.Fence.Term != term || g.Fence.Attempt == 0 {
		return GrantStale
	}
	if l != nil && !(task.Fence{Term: l.term, Attempt: l.attempt}).Less(g.Fence) {
		return GrantStale
	}
	return Granted
}

// untake ends a reservation; the task is ready again if it waits.
func (s *State) untake(id uint64) {
	p := s.table.page(id)
	if p == nil || p.status[id%pageSize]&takenBit == 0 {
		return
	}
	s.reservedAttempts[id] = max(s.reservedAttempts[id], s.taken[id])
	delete(s.taken, id)
	p.status[id%pageSize] &^= takenBit
	s.enqueueReady(id)
}
