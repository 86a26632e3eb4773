package state

import (
	"context"
	"fmt"
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
	from uint64   // changes up to this Seq were before this start
	wake chan struct{}
}

// reset forgets all changes up to and with entry index.
func (f *feed) reset(index uint64) {
	f.ring, f.n = nil, 0
	f.seq = 0
	if index > 0 {
		f.seq = (index+1)<<seqShift - 1
	}
	f.base, f.from = f.seq, f.seq
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

// dropped is how many changes since this start are no longer kept.
func (f *feed) dropped() uint64 { return f.n - uint64(len(f.ring)) }

// find is the count of the changes up to seq, if those after it are kept.
func (f *feed) find(seq uint64) uint64 {
	lo, hi := f.dropped(), f.n
	for lo < hi {
		m := (lo + hi) / 2
		if f.ring[m%feedSize].Seq <= seq {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

// Stamp is a new position behind all changes so far, for something that did
// not happen in the queue and is to be told in order with its changes. It is
// as volatile as the feed.
func (s *State) Stamp() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.feed.seq++
	return s.feed.seq
}

// Oldest is when the oldest change that is kept happened, in Unix ms; 0 when
// none is.
func (s *State) Oldest() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	f := &s.feed
	if len(f.ring) == 0 {
		return 0
	}
	return f.ring[f.dropped()%feedSize].Time
}

// Watcher yields changes in order. It belongs to one goroutine.
type Watcher struct {
	s     *State
	pos   uint64
	count uint64 // changes up to pos since this start; valid when begun
	begun bool
	start uint64 // feed.from when it began
	buf   []Change
}

// Gap says that a reader did not get some changes, since they are no longer
// kept: it has to read everything again. Next goes on behind the gap.
type Gap struct { //nolint:errname // a gap, which a reader is told like an end
	Missed  uint64 // so many changes of this start are missing; 0 is not known
	Earlier bool   // so is what was before this start
}

// Error says so in words.
func (g *Gap) Error() string {
	if g.Missed == 0 {
		return "changes are no longer kept"
	}
	return fmt.Sprintf("%d changes are no longer kept", g.Missed)
}

// Watch reads the feed of changes after a position; 0 is from now. Of a
// position that is no longer kept it begins with a Gap and then the oldest
// change there is. A reader that falls behind later gets a Gap and goes on from
// now: it would only fall behind again.
func (s *State) Watch(from uint64) *Watcher {
	w := &Watcher{s: s, pos: from, buf: make([]Change, 0, 256)}
	if from == 0 {
		s.mu.RLock()
		w.pos, w.count, w.start, w.begun = s.feed.seq, s.feed.n, s.feed.from, true
		s.mu.RUnlock()
	}
	return w
}

// Position is the Seq after which Next continues.
func (w *Watcher) Position() uint64 { return w.pos }

// Next waits for changes and returns at least one, in order, or a *Gap once.
// The slice is valid until the next call.
func (w *Watcher) Next(ctx context.Context) ([]Change, error) {
	for {
		list, wake, err := w.Poll()
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

// Poll is Next without the wait: when there is nothing it returns a channel
// that is closed when there may be. Afterwards everything up to Position has
// been returned, stamps included.
func (w *Watcher) Poll() ([]Change, <-chan struct{}, error) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	f := &w.s.feed
	if w.behind(f) {
		return nil, nil, w.jump(f)
	}
	if !w.begun {
		w.count, w.start, w.begun = f.find(w.pos), f.from, true
	}
	list := w.buf[:0]
	for ; w.count < f.n && len(list) < cap(list); w.count++ {
		list = append(list, f.ring[w.count%feedSize])
	}
	if w.count == f.n {
		w.pos = max(w.pos, f.seq)
	} else {
		w.pos = list[len(list)-1].Seq
	}
	if len(list) > 0 {
		return list, nil, nil
	}
	if f.wake == nil {
		f.wake = make(chan struct{})
	}
	return nil, f.wake, nil
}

func (w *Watcher) behind(f *feed) bool {
	if w.begun {
		return w.start != f.from || w.count < f.dropped()
	}
	return w.pos < f.base
}

// jump moves a watcher over what is no longer kept, and says how much that is.
func (w *Watcher) jump(f *feed) error {
	g := &Gap{}
	switch {
	case w.begun && w.start == f.from:
		g.Missed = f.n - w.count
		w.pos, w.count = f.seq, f.n
		return g
	case w.begun: // the state was replaced by another
		g.Earlier = true
		w.pos, w.count = f.seq, f.n
	case w.pos < f.from:
		g.Missed, g.Earlier = f.dropped(), true
		w.pos, w.count = f.base, f.dropped()
	default:
		w.pos, w.count = f.base, f.dropped()
	}
	w.start, w.begun = f.from, true
	return g
}
