package state

import (
	"container/heap"

	"github.com/adauldev/octaskly/queue/task"
)

// Apply applies committed entries in order and returns an answer for each. An
// entry at or below LogPosition was applied before and is answered with
// ErrReplayed. Everything here depends on the entries only: the time is the
// command's, nothing is drawn, no map is walked.
func (s *State) Apply(entries []Entry) []any {
	replies := make([]any, len(entries))
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range entries {
		replies[i] = s.applyEntry(&entries[i])
	}
	s.feed.notify()
	return replies
}

// ErrReplayed answers an entry that was applied before.
var ErrReplayed = task.Errorf(task.KindInternal, "the change was applied before this start")

func (s *State) applyEntry(e *Entry) any {
	if e.Index <= s.position.index {
		return ErrReplayed
	}
	for s.full() && s.failed == nil && !s.closing {
		s.room.Wait()
	}
	if s.failed != nil {
		return s.failed
	}
	if s.closing {
		return task.Errorf(task.KindUnavailable, "the queue is being closed")
	}
	if e.Term > s.term {
		s.term = e.Term
		clear(s.reservedAttempts)
	}
	s.position.index, s.position.term = e.Index, e.Term
	reply := s.applyCommand(e)
	began := s.open.position.index == s.durable
	s.open.position = s.position
	if began || s.full() {
		s.work.Signal()
	}
	return reply
}

func (s *State) applyCommand(e *Entry) any {
	kind, now, r := readCommand(e.Data)
	if r.err != nil {
		return badCommand(r.err)
	}
	s.now = now
	switch kind {
	case cmdSubmit:
		return s.applySubmit(r)
	case cmdGrant:
		return s.applyGrant(r, e.Term)
	case cmdRecord:
		return s.applyRecord(r)
	case cmdRelease:
		return s.applyRelease(r)
	case cmdCancel:
		return s.applyCancel(r)
	case cmdPurge:
		return s.applyPurge(r)
	}
	return s.applyMember(kind, r)
}

func badCommand(err error) error {
	return task.Errorf(task.KindInternal, "a command in the log can not be read: %w", err)
}

// move takes a task from one state to another, in memory.
func (s *State) move(id uint64, to task.State) (from task.State) {
	p := s.table.page(id)
	i := id % pageSize
	status := p.status[i]
	from = task.State(status & stateMask)
	s.counts[from]--
	s.counts[to]++
	if status&readyBit != 0 {
		s.classes[p.class[i]].count--
		status &^= readyBit
	}
	if status&takenBit != 0 && to != task.Queued {
		delete(s.taken, id)
		status &^= takenBit
	}
	p.status[i] = status&^stateMask | uint8(to)
	if to.Terminal() && !from.Terminal() {
		delete(s.reservedAttempts, id)
		s.leaveClass(p.class[i])
	}
	return from
}

// enqueueReady puts a waiting task that is not taken into its class's ready set.
func (s *State) enqueueReady(id uint64) {
	p := s.table.page(id)
	i := id % pageSize
	if p.status[i]&(readyBit|takenBit) != 0 {
		return
	}
	p.status[i] |= readyBit
	k := s.classes[p.class[i]]
	k.count++
	heap.Push(&k.returned, id)
	s.wake()
}

func (s *State) isReady(id uint64) bool { return s.table.flag(id, readyBit) }

// trim drops numbers from the front of a ready set that are not ready any more.
func (s *State) trim(slot uint32) {
	if k := s.classes[slot]; k != nil {
		k.next(s.isReady, false)
	}
}

// putLive stages where an unfinished task stands.
func (s *State) putLive(l *activeTask, st task.State) {
	r := record{
		state: st, cancel: l.cancel, term: l.term, attempt: l.attempt, failures: l.failures,
		history: l.history, crashes: l.crashes, notBefore: l.notBefore,
	}
	if st == task.Assigned {
		r.last = &task.Attempt{Fence: task.Fence{Term: l.term, Attempt: l.attempt}, Node: s.nodes[l.node], Assigned: l.granted}
	}
	s.putRecord(l.id, &r)
}

func (s *State) putRecord(id uint64, r *record) {
	from := len(s.open.arena)
	s.open.arena = r.append(s.open.arena)
	h := s.put(numKey{kind: kindState, id: id}, from)
	s.position.sum -= s.table.page(id).setSum(id%pageSize, h)
}

// putAttempt stages an attempt that is over but was not the last.
func (s *State) putAttempt(l *activeTask, a *task.Attempt) {
	from := len(s.open.arena)
	s.open.arena = appendAttempt(s.open.arena, a)
	s.put(numKey{kind: kindAttempt, id: l.id, sub: l.history}, from)
	l.history++
}

// finish ends a task for good. l may be nil; last may be nil.
func (s *State) finish(id uint64, l *activeTask, to task.State, last *task.Attempt) {
	r := record{state: to, finished: s.now, last: last}
	c := Change{Time: s.now, ID: task.ID(id), To: to}
	if l != nil {
		r.term, r.attempt, r.failures, r.history, r.crashes = l.term, l.attempt, l.failures, l.history, l.crashes
		r.cancel = l.cancel
	}
	if last != nil {
		c.Node, c.Fence, c.Exit = last.Node, last.Fence, last.Exit
	}
	c.From = s.move(id, to)
	s.putRecord(id, &r)
	s.active.drop(id)
	s.finished.add(id, s.now)
	s.feed.add(s.position.index, &c)
}
