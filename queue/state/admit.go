package state

import (
	"github.com/adauldev/octaskly/queue/internal/bugs"
	"github.com/adauldev/octaskly/queue/task"
)

func (s *State) applySubmit(r *reader) any {
	limit := int(r.uint())
	k, err := parseBlock(r.b)
	if err != nil {
		return badCommand(err)
	}
	slots := make([]uint32, len(k.classes))
	for i := range k.classes {
		if slots[i], err = s.slotOfClass(&k.classes[i]); err != nil {
			return badCommand(err)
		}
	}
	k.first = s.position.next
	reply := SubmitReply{Tasks: make([]Submitted, len(k.items)), Limit: limit}
	keep := k.items[:0] // moves the accepted ones together in place
	all := len(k.items)
	for i := range all {
		it := &k.items[:all][i]
		if verdict := s.admit(k, it, keep, limit); verdict.Verdict != Accepted {
			reply.Tasks[i] = verdict
			continue
		}
		id := k.first + uint64(len(keep))
		keep = append(keep, *it)
		s.submitOne(id, it, slots[it.class], k.by)
		reply.Tasks[i] = Submitted{task.ID(id), Accepted}
	}
	s.position.next += uint64(len(keep))
	reply.Waiting = s.unfinished()
	for _, slot := range slots { // those that nobody uses
		if c := s.classes[slot]; c != nil && c.tasks == 0 {
			c.tasks = 1
			s.leaveClass(slot)
		}
	}
	if len(keep) > 0 {
		s.putBlock(k, keep, len(keep) == all, r.b)
		s.wake()
	}
	return reply
}

// admit decides on one task of a submit; earlier are those accepted before it.
func (s *State) admit(k *block, it *blockItem, earlier []blockItem, limit int) Submitted {
	if len(it.key) > 0 && !bugs.Planted.ForgetKey {
		var hit Submitted
		s.keys.each(s.keys.hashOf(k.by, it.key), func(id uint64) bool {
			by, other := k.by, (*blockItem)(nil)
			if id >= k.first {
				other = &earlier[id-k.first]
			} else if b, o, err := s.itemOf(id, true); err == nil {
				by, other = b.by, o
			}
			if other == nil || string(by) != string(k.by) || string(other.key) != string(it.key) {
				return false
			}
			hit = Submitted{task.ID(id), KeyConflict}
			if string(other.spec) == string(it.spec) {
				hit.Verdict = Duplicate
			}
			return true
		})
		if hit.ID != 0 {
			return hit
		}
	}
	if limit > 0 && s.unfinished() >= limit {
		return Submitted{Verdict: QueueFull}
	}
	return Submitted{Verdict: Accepted}
}

func (s *State) unfinished() int {
	return s.counts[task.Queued] + s.counts[task.Assigned] + s.counts[task.Running] + s.counts[task.Retry]
}

// submitOne makes the new task in memory.
func (s *State) submitOne(id uint64, it *blockItem, slot uint32, by []byte) {
	s.enter(id, it, slot, by, task.Queued)
	p := s.table.page(id)
	p.status[id%pageSize] |= readyBit
	k := s.classes[slot]
	k.count++
	k.appendTail(id)
	s.feed.add(s.position.index, &Change{Time: s.now, ID: task.ID(id), To: task.Queued})
}

// enter makes a task that is not finished known in memory.
func (s *State) enter(id uint64, it *blockItem, slot uint32, by []byte, st task.State) {
	p := s.table.grow(id)
	i := id % pageSize
	p.status[i], p.retry[i], p.class[i] = uint8(st), it.retry, slot
	p.live++
	s.counts[st]++
	s.classes[slot].tasks++
	if len(it.key) > 0 {
		s.keys.add(s.keys.hashOf(by, it.key), id)
	}
}

// putBlock stages the block of the accepted tasks; raw is the block as
// submitted, which is it when all were accepted.
func (s *State) putBlock(k *block, keep []blockItem, all bool, raw []byte) {
	from := len(s.open.arena)
	if all {
		s.open.arena = append(s.open.arena, raw...)
	} else {
		s.open.arena = appendBlock(s.open.arena, k, keep)
		k.items = keep
	}
	if len(raw) > 0 && raw[0] == blockPlain {
		k.own() // it refers to the command, which is not kept
	}
	sum := s.put(numKey{kind: kindBlock, id: k.first}, from)
	n := uint32(len(keep))
	s.blocks.refs = append(s.blocks.refs, blockRef{first: k.first, sum: sum, n: n, left: n})
	s.cache.put(k)
}
