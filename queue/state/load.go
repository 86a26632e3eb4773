package state

import (
	"container/heap"
	"errors"
	"slices"

	"github.com/adauldev/octaskly/queue/task"
)

// load reads the whole store into memory, once, and compares the sum over all
// records with the stored one: a record that is missing, changed or back from
// the dead makes it differ.
func (s *State) load() error {
	want, err := s.loadPosition()
	if err != nil {
		return err
	}
	var sum uint64
	var l loader
	err = s.store.Each(func(key, value []byte) error {
		h, err := l.record(s, key, value)
		sum += h
		return err
	})
	if err != nil {
		if task.KindOf(err) == task.KindCorrupt {
			return err
		}
		return s.store.Damaged("%v", err)
	}
	l.end(s)
	if sum != want.sum {
		return s.store.Damaged("its records are not those that were written last (sum %016x, not %016x)", sum, want.sum)
	}
	s.position = want
	s.open.position = want
	s.durable = want.index
	s.term = want.term
	s.feed.reset(want.index)
	return nil
}

// loadPosition reads the version and the position, and writes them to a new store.
func (s *State) loadPosition() (position, error) {
	version, err := s.store.Get([]byte{kindVersion})
	if err != nil {
		return position{}, s.store.Damaged("%v", err)
	}
	raw, err := s.store.Get([]byte{kindPosition})
	if err != nil {
		return position{}, s.store.Damaged("%v", err)
	}
	if version == nil && raw == nil {
		t := position{next: 1}
		return t, s.store.Commit(func(w Writer) error {
			if err := w.Set([]byte{kindVersion}, []byte{layoutVersion}); err != nil {
				return err
			}
			return w.Set([]byte{kindPosition}, t.append(nil))
		})
	}
	if len(version) == 1 && version[0] != layoutVersion {
		return position{}, task.Errorf(task.KindConflict, "the state store has layout %d, this program knows %d", version[0], layoutVersion).
			WithHint("use the version of octaskly that wrote it")
	}
	t, err := parsePosition(raw)
	if err != nil || len(version) != 1 {
		return position{}, s.store.Damaged("its position can not be read")
	}
	return t, nil
}

// loader takes records in the order of their keys: attempts, blocks, the
// facts about the cluster, then states. A block's tasks wait until a state
// says otherwise.
type loader struct {
	done []finishedTask
}

func (l *loader) record(s *State, key, val []byte) (sum uint64, err error) {
	switch key[0] {
	case kindVersion, kindPosition:
		return 0, nil
	case kindMember, kindRevoked, kindInvite, kindMeta:
		if _, err := s.members.load(string(key), val); err != nil {
			return 0, err
		}
		h := sumNamed(string(key), val)
		s.namedSums[string(key)] = h
		return h, nil
	}
	k, ok := parseNumKey(key)
	if !ok {
		return 0, s.store.Damaged("it has a key that nobody wrote: %x", key)
	}
	h := sumNum(k, val)
	switch k.kind {
	case kindBlock:
		err = l.block(s, k.id, val, h)
	case kindState:
		err = l.state(s, k.id, val, h)
	}
	return h, err
}

// block enters its tasks as waiting.
func (l *loader) block(s *State, first uint64, val []byte, sum uint64) error {
	b, err := parseBlock(val)
	if err != nil {
		return s.store.Damaged("the tasks from %d on: %v", first, err)
	}
	slots := make([]uint32, len(b.classes))
	for i := range b.classes {
		if slots[i], err = s.slotOfClass(&b.classes[i]); err != nil {
			return err
		}
	}
	for i := range b.items {
		s.enter(first+uint64(i), &b.items[i], slots[b.items[i].class], b.by, task.Queued)
	}
	n := uint32(len(b.items))
	s.blocks.refs = append(s.blocks.refs, blockRef{first: first, sum: sum, n: n, left: n})
	return nil
}

// state corrects a task that is not waiting for its first attempt.
func (l *loader) state(s *State, id uint64, val []byte, sum uint64) error {
	r, err := parseRecord(val, true)
	if err != nil || s.table.state(id) != task.Queued {
		return s.store.Damaged("task %d: %v", id, errors.Join(err, errShort))
	}
	p := s.table.page(id)
	p.setSum(id%pageSize, sum)
	if r.tombstone {
		return l.tombstone(s, id)
	}
	if r.state.Terminal() {
		s.move(id, r.state)
		l.done = append(l.done, finishedTask{id, r.finished})
		return nil
	}
	v := s.active.add(id)
	v.term, v.attempt, v.failures, v.history, v.crashes = r.term, r.attempt, r.failures, r.history, r.crashes
	v.notBefore, v.cancel = r.notBefore, r.cancel
	if r.last != nil {
		v.node, v.granted = s.slotOfNode(r.last.Node), r.last.Assigned
	}
	s.move(id, r.state)
	if r.state == task.Retry {
		heap.Push(&s.delayed, due{r.notBefore, id})
	}
	return nil
}

// tombstone takes back what block entered for a removed task.
func (l *loader) tombstone(s *State, id uint64) error {
	ref := s.blocks.find(id)
	p := s.table.page(id)
	i := id % pageSize
	s.counts[task.Queued]--
	s.leaveClass(p.class[i])
	p.status[i] = 0
	if ref == nil || ref.left <= 1 {
		return s.store.Damaged("the tasks from %d on were all removed", id)
	}
	ref.left--
	_, it, err := s.itemOf(id, true)
	if err != nil {
		return err
	}
	if len(it.key) > 0 {
		b, _ := s.blockOf(id, true)
		s.keys.drop(s.keys.hashOf(b.by, it.key), id)
	}
	return nil
}

// end makes what waits ready and orders what is finished.
func (l *loader) end(s *State) {
	for n := range s.blocks.refs {
		ref := &s.blocks.refs[n]
		for id := ref.first; id < ref.first+uint64(ref.n); id++ {
			p := s.table.page(id)
			i := id % pageSize
			if task.State(p.status[i]&stateMask) != task.Queued {
				continue
			}
			p.status[i] |= readyBit
			k := s.classes[p.class[i]]
			k.count++
			k.appendTail(id)
		}
	}
	slices.SortFunc(l.done, func(a, b finishedTask) int {
		switch {
		case a.at != b.at && a.at < b.at, a.at == b.at && a.id < b.id:
			return -1
		default:
			return 1
		}
	})
	s.finished.list = l.done
	s.wake()
}
