package state

import (
	"cmp"
	"container/heap"
	"slices"

	"github.com/adauldev/octaskly/queue/task"
)

// Ready is signalled (capacity one) when tasks became ready since the last
// receive: submitted, given back, or due for a retry.
func (s *State) Ready() <-chan struct{} { return s.ready }

// Classes lists the classes that have ready tasks, highest priority first,
// then oldest task first. Costs O(classes).
func (s *State) Classes() []Class {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Class
	for _, k := range s.classes {
		if k == nil || k.count == 0 {
			continue
		}
		oldest, _ := k.next(s.isReady, false)
		list = append(list, Class{k.id, k.need, k.priority, k.delivery, k.count, task.ID(oldest)})
	}
	slices.SortFunc(list, func(a, b Class) int {
		if a.Priority != b.Priority {
			return cmp.Compare(b.Priority, a.Priority)
		}
		return cmp.Compare(a.Oldest, b.Oldest)
	})
	return list
}

// Take reserves up to n ready tasks of a class, oldest first, in this term of the
// log. A taken task is not given out again until it is leased and released, or
// Untake'n. Its attempt number is never used again in this term.
func (s *State) Take(class ClassID, n int, term uint64) []Item {
	items := s.reserve(class, n, term)
	for i := range items {
		if err := s.fillSpec(&items[i]); err != nil {
			s.log.Error("queue: a ready task can not be read", "task", items[i].ID, "err", err)
			s.mu.Lock()
			for _, it := range items[i:] {
				s.untake(uint64(it.ID))
			}
			s.mu.Unlock()
			return items[:i]
		}
	}
	return items
}

func (s *State) fillSpec(it *Item) error {
	_, item, err := s.itemOf(uint64(it.ID), false)
	if err != nil {
		return err
	}
	it.Spec, err = decodeSpec(item.spec)
	return err
}

// reserve marks tasks as taken.
func (s *State) reserve(id ClassID, n int, term uint64) []Item {
	s.mu.Lock()
	defer s.mu.Unlock()
	var k *class
	for _, c := range s.classes {
		if c != nil && c.id == id {
			k = c
			break
		}
	}
	if k == nil {
		return nil
	}
	items := make([]Item, 0, min(n, k.count))
	for len(items) < n {
		id, ok := k.next(s.isReady, true)
		if !ok {
			break
		}
		p := s.table.page(id)
		p.status[id%pageSize] = p.status[id%pageSize]&^readyBit | takenBit
		k.count--
		attempt := s.reservedAttempts[id]
		if l := s.active.get(id); l != nil {
			attempt = max(attempt, l.attempt)
		}
		attempt++
		s.taken[id] = attempt
		items = append(items, Item{ID: task.ID(id), Fence: task.Fence{Term: term, Attempt: attempt}})
	}
	return items
}

// Untake gives back tasks that were taken and not granted.
func (s *State) Untake(ids ...task.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		s.untake(uint64(id))
	}
}

// MarkRunning notes that workers have started leased tasks. It is volatile. Leases
// that are not current are ignored.
func (s *State) MarkRunning(started []Started, now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range started {
		id := uint64(x.ID)
		l := s.active.get(id)
		if s.table.state(id) != task.Assigned || l.term != x.Fence.Term || l.attempt != x.Fence.Attempt {
			continue
		}
		l.started = x.At
		s.move(id, task.Running)
		s.feed.add(s.position.index, &Change{Time: now, ID: x.ID, From: task.Assigned, To: task.Running, Node: s.nodes[l.node], Fence: x.Fence})
	}
	s.feed.notify()
}

// Sooner is signalled (capacity one) when the next delayed task is due earlier than
// MakeDue said last.
func (s *State) Sooner() <-chan struct{} { return s.sooner }

// MakeDue makes delayed tasks ready whose time has come, and returns when the
// next one's does; 0 if there is none.
func (s *State) MakeDue(now int64) (next int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.delayed) > 0 {
		d := s.delayed[0]
		l := s.active.get(d.id)
		if s.table.state(d.id) != task.Retry || l.notBefore != d.at {
			heap.Pop(&s.delayed) // it was cancelled, or granted and delayed again
			continue
		}
		if d.at > now {
			return d.at
		}
		heap.Pop(&s.delayed)
		s.enqueueReady(d.id)
	}
	return 0
}

// Held lists the leases of a node, or of all nodes if node is empty, by task
// number.
func (s *State) Held(node task.NodeID) []Lease {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []Lease
	for i := range s.active.recs {
		l := &s.active.recs[i]
		if l.id == 0 || !s.table.state(l.id).Holds() || (node != "" && s.nodes[l.node] != node) {
			continue
		}
		k := s.classes[s.table.page(l.id).class[l.id%pageSize]]
		list = append(list, Lease{
			ID: task.ID(l.id), Fence: task.Fence{Term: l.term, Attempt: l.attempt}, Node: s.nodes[l.node],
			Granted: l.granted, Started: l.started, Priority: k.priority, Delivery: k.delivery,
			Cancelling: l.cancel, Need: k.need,
		})
	}
	slices.SortFunc(list, func(a, b Lease) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// Started says when a worker started a leased task.
type Started struct {
	ID    task.ID
	Fence task.Fence
	At    int64 // Unix ms, dispatcher's clock
}
