package state

import "github.com/adauldev/octaskly/queue/task"

// finished are the finished tasks that still exist, in the order in which
// they finished. Removed ones are skipped when they come to the front.
type finished struct {
	list []finishedTask
	head int
}

type finishedTask struct {
	id uint64
	at int64 // Unix ms
}

func (f *finished) add(id uint64, at int64) { f.list = append(f.list, finishedTask{id, at}) }

// front is the oldest one for which ok holds; others before it are dropped.
func (f *finished) front(ok func(uint64) bool) (finishedTask, bool) {
	for f.head < len(f.list) {
		x := f.list[f.head]
		if ok(x.id) {
			return x, true
		}
		f.head++
		if f.head > 4096 && f.head*2 > len(f.list) {
			f.list = append(f.list[:0:0], f.list[f.head:]...)
			f.head = 0
		}
	}
	return finishedTask{}, false
}

// oldest lists up to limit existing ones, oldest first, that finished before a
// time or are more than keep.
func (f *finished) oldest(limit, total, keep int, before int64, ok func(uint64) bool) []uint64 {
	if _, some := f.front(ok); !some {
		return nil
	}
	var ids []uint64
	for _, x := range f.list[f.head:] {
		if len(ids) == limit {
			break
		}
		if !ok(x.id) {
			continue
		}
		if x.at >= before && (keep < 0 || total-len(ids) <= keep) {
			break
		}
		ids = append(ids, x.id)
	}
	return ids
}

// Overdue lists up to limit finished tasks to remove, oldest first: those that
// finished before a time (Unix ms), and those beyond the number to keep (negative
// is all).
func (s *State) Overdue(limit, keep int, before int64) []task.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := 0
	for _, st := range task.States() {
		if st.Terminal() {
			total += s.counts[st]
		}
	}
	list := s.finished.oldest(limit, total, keep, before, func(id uint64) bool { return s.table.state(id).Terminal() })
	ids := make([]task.ID, len(list))
	for i, id := range list {
		ids[i] = task.ID(id)
	}
	return ids
}

// LastFinish is when the latest finished task that still exists ended, in Unix ms by
// the clock of then; 0 when there is none.
func (s *State) LastFinish() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := s.finished.list
	if len(list) == 0 {
		return 0
	}
	return list[len(list)-1].at
}
