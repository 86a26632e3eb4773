package state

import "github.com/adauldev/octaskly/queue/task"

// purgeBudget bounds the records that one purge command removes; tasks beyond
// it stay for the next one.
const purgeBudget = 4000

func (s *State) applyPurge(r *reader) any {
	list, err := readList(r, readID)
	if err != nil {
		return badCommand(err)
	}
	removed, budget := 0, purgeBudget
	for _, id := range list {
		if budget <= 0 {
			break
		}
		if n := s.purge(uint64(id)); n > 0 {
			budget -= n
			removed++
		}
	}
	return removed
}

// purge removes a finished task and returns the number of records that it
// touched, 0 if there is no such task. The last task of a block takes the
// block with it; until then a tombstone stands for it, because a task without a
// record is one that waits.
func (s *State) purge(id uint64) int {
	st := s.table.state(id)
	if !st.Terminal() {
		return 0
	}
	ref := s.blocks.find(id)
	b, it, err := s.itemOf(id, true)
	if err != nil || ref == nil {
		s.log.Error("queue: a finished task has no spec", "task", id, "err", err)
		return 0
	}
	if len(it.key) > 0 {
		s.keys.drop(s.keys.hashOf(b.by, it.key), id)
	}
	n := 1 + s.purgeAttempts(id)
	s.feed.add(s.position.index, &Change{Time: s.now, ID: task.ID(id), From: st})
	s.counts[st]--
	if ref.left--; ref.left > 0 {
		s.putRecord(id, &record{state: st, tombstone: true})
		p := s.table.page(id)
		p.status[id%pageSize] = 0 // the page stays: it holds the tombstone's sum
		return n
	}
	return n + s.purgeBlock(ref)
}

// purgeAttempts removes the attempts that have keys of their own.
func (s *State) purgeAttempts(id uint64) int {
	v, err := s.lookup(numKey{kind: kindState, id: id})
	if err != nil || v == nil {
		return 0
	}
	r, err := parseRecord(v, false)
	if err != nil {
		return 0
	}
	for i := range r.history {
		k := numKey{kind: kindAttempt, id: id, sub: i}
		if v, err := s.lookup(k); err == nil && v != nil {
			s.position.sum -= sumNum(k, v)
			s.del(k)
		}
	}
	return int(r.history)
}

// purgeBlock removes a block and what stands for its tasks.
func (s *State) purgeBlock(ref *blockRef) int {
	s.position.sum -= ref.sum
	s.del(numKey{kind: kindBlock, id: ref.first})
	s.cache.drop(ref.first)
	for id := ref.first; id < ref.first+uint64(ref.n); id++ {
		s.position.sum -= s.table.page(id).setSum(id%pageSize, 0)
		s.del(numKey{kind: kindState, id: id})
		s.table.drop(id)
	}
	n := int(ref.n) + 1
	s.blocks.bury()
	return n
}
