package queue

import (
	"context"

	"github.com/adauldev/octaskly/queue/task"
)

// feedSize is how many changes are kept for readers that are behind.
const feedSize = 1 << 15

const seqShift = 20 // a Seq is the entry's index and a number within it

// feed is the ring of the latest changes. It is part of State and guarded by
// its mutex.
type feed struct {
	ring []Change // grows to feedSize, then wraps
	n    uint64   // changes ever added; ring[n%feedSize] is the next place
	seq  uint64   // of the latest change
	base uint64   // changes up to this Seq are not kept
	wake chan struct{}
}

// reset forgets all changes up to and with entry index.
func (f *feed) reset(index uint64) {
	f.ring, f.n = nil, 0
	f.seq = (index+1)<<seqShift - 1
	f.base = f.seq
	f.notify()
}

func (f *feed) notify() {
	if f.wake != nil {
		close(f.wake)
		f.wake = nil
	}
}

func (f *feed) add(index uint64, c *Change) {
	f.seq = max(f.seq+1, index<<seqShift)
	c.Seq, c.Index = f.seq, index
	if len(f.ring) < feedSize {
		f.ring = append(f.ring, *c)
	} else {
		slot := &f.ring[f.n%feedSize]
		f.base = slot.Seq
		*slot = *c
	}
	f.n++
}

// after copies changes that follow seq into buf.
func (f *feed) after(seq uint64, buf []Change) []Change {
	lo, hi := f.n-uint64(len(f.ring)), f.n
	end := hi
	for lo < hi {
		m := (lo + hi) / 2
		if f.ring[m%feedSize].Seq <= seq {
			lo = m + 1
		} else {
			hi = m
		}
	}
	for ; lo < end && len(buf) < cap(buf); lo++ {
		buf = append(buf, f.ring[lo%feedSize])
	}
	return buf
}

// Watcher yields changes in order. It belongs to one goroutine.
type Watcher struct {
	s   *State
	pos uint64
	buf []Change
}

// ErrGap says that changes between the position and now are no longer kept:
// read everything again, then go on with Next, which continues from now.
var ErrGap = task.Errorf(task.KindConflict, "the reader fell behind the changes").
	WithHint("read everything again")

// Watch reads the feed of changes after a position; 0 is from now.
func (s *State) Watch(from uint64) *Watcher {
	if from == 0 {
		s.mu.RLock()
		from = s.feed.seq
		s.mu.RUnlock()
	}
	return &Watcher{s: s, pos: from, buf: make([]Change, 0, 256)}
}

// Position is the Seq after which Next continues.
func (w *Watcher) Position() uint64 { return w.pos }

// Next waits for changes and returns at least one, in order, or ErrGap once.
// The slice is valid until the next call.
func (w *Watcher) Next(ctx context.Context) ([]Change, error) {
	for {
		list, wake, err := w.poll()
		if err != nil || len(list) > 0 {
			return list, err
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (w *Watcher) poll() ([]Change, <-chan struct{}, error) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	f := &w.s.feed
	if w.pos < f.base {
		w.pos = f.seq
		return nil, nil, ErrGap
	}
	if list := f.after(w.pos, w.buf[:0]); len(list) > 0 {
		w.pos = list[len(list)-1].Seq
		return list, nil, nil
	}
	if f.wake == nil {
		f.wake = make(chan struct{})
	}
	return nil, f.wake, nil
}
