package remote

import (
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// followed is how much of a task's output and states a reader has, so that a
// follow that begins again can leave that out. It is pure.
type followed struct {
	task     *task.Task
	attempts map[uint32]*heard
	started  bool
	first    uint32 // after a tail: attempts before it were left out on purpose
}

// heard is what a reader has of one attempt.
type heard struct {
	bytes  int64 // payload, dropped bytes counted
	time   int64 // of the last chunk
	atTime int64 // bytes that had that time
	// while catching up after a rewind:
	drop    int64 // bytes still to leave out
	until   int64 // leave out what is older than this
	atUntil int64 // and so many bytes of exactly that time
}

func (s *followed) any() bool { return s.started }

// rewind says that the output begins again. After a tail it cannot be counted
// from the beginning and is left out by time instead; what was written within
// the millisecond in which the tail began may then come twice.
func (s *followed) rewind(tail bool) {
	s.first = 0
	for n, h := range s.attempts {
		if tail && (s.first == 0 || n < s.first) {
			s.first = n
		}
		h.drop, h.until, h.atUntil = h.bytes, 0, 0
		if tail {
			h.drop, h.until, h.atUntil = 0, h.time, h.atTime
		}
	}
}

// pass leaves out of item what the reader has.
func (s *followed) pass(item control.FollowItem) control.FollowItem {
	s.started = true
	if item.Task != nil {
		if s.task != nil && sameStep(s.task, item.Task) {
			item.Task = nil
		} else {
			s.task = item.Task
		}
	}
	kept := item.Chunks[:0]
	for _, c := range item.Chunks {
		if c, ok := s.chunk(c); ok {
			kept = append(kept, c)
		}
	}
	item.Chunks = kept
	return item
}

func (s *followed) chunk(c control.Chunk) (control.Chunk, bool) {
	n := int64(len(c.Data)) + c.Skipped
	if c.Stream == 0 && c.Skipped == 0 {
		return c, true // a remark, not a part of the output
	}
	if c.Attempt < s.first {
		return c, false
	}
	h := s.attempts[c.Attempt]
	if h == nil {
		if s.attempts == nil {
			s.attempts = map[uint32]*heard{}
		}
		h = &heard{}
		s.attempts[c.Attempt] = h
	}
	cut := h.leaveOut(c.Time, n)
	if cut == n && n > 0 {
		return c, false
	}
	if c.Skipped > 0 {
		c.Skipped -= cut
	} else {
		c.Data = c.Data[cut:]
	}
	h.note(c.Time, n-cut)
	return c, true
}

// leaveOut is how many of the next n bytes the reader has.
func (h *heard) leaveOut(time, n int64) int64 {
	switch {
	case h.drop > 0:
		cut := min(h.drop, n)
		h.drop -= cut
		return cut
	case time < h.until:
		return n
	case h.until > 0 && time == h.until:
		cut := min(h.atUntil, n)
		h.atUntil -= cut
		return cut
	}
	h.until = 0
	return 0
}

func (h *heard) note(time, n int64) {
	h.bytes += n
	if time != h.time {
		h.time, h.atTime = time, 0
	}
	h.atTime += n
}

// sameStep reports whether two pictures of a task show the same step of its life.
func sameStep(a, b *task.Task) bool {
	if a.State != b.State || a.Cancelling != b.Cancelling || len(a.Attempts) != len(b.Attempts) || a.NotBefore != b.NotBefore {
		return false
	}
	x, y := a.Last(), b.Last()
	return x == nil || x.Fence == y.Fence && x.Started == y.Started && x.Ended == y.Ended
}
