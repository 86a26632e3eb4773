package state

import (
	"context"
	"errors"
	"log/slog"
	"testing"
)

// drain reads what there is now.
func drain(t *testing.T, w *Watcher) (list []Change, gaps []*Gap) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for {
		cs, err := w.Next(ctx)
		if g, ok := errors.AsType[*Gap](err); ok {
			gaps = append(gaps, g)
			continue
		}
		if err != nil {
			return list, gaps
		}
		list = append(list, cs...)
	}
}

// Readers that begin anywhere get everything behind their position that is
// kept, once and in order, and are told how much is missing.
func TestWatchGaps(t *testing.T) {
	s, err := Open(&memStore{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	oldest, slow := s.Watch(1), s.Watch(0)
	list, gaps := drain(t, oldest)
	if len(list)+len(gaps) != 0 {
		t.Fatalf("a new state has %d changes and gaps %v", len(list), gaps)
	}
	const extra = 1000
	add := func(n int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for range n {
			s.feed.add(s.position.index+1, &Change{ID: 1})
		}
		s.feed.notify()
	}
	add(feedSize)
	middle := s.feed.ring[feedSize/2].Seq
	if list, gaps = drain(t, s.Watch(middle)); len(list) != feedSize/2-1 || len(gaps) != 0 || list[0].Seq != middle+1 {
		t.Errorf("from the middle: %d changes, gaps %v", len(list), gaps)
	}
	add(extra)
	for name, w := range map[string]*Watcher{"the oldest": s.Watch(1), "a position that is gone": s.Watch(s.feed.base - 1)} {
		list, gaps = drain(t, w)
		if len(list) != feedSize || len(gaps) != 1 || list[0].Seq != s.feed.base+1 {
			t.Errorf("%s: %d changes, %d gaps", name, len(list), len(gaps))
		}
	}
	for name, w := range map[string]*Watcher{"slow": slow, "begun early": oldest} {
		list, gaps = drain(t, w)
		if len(list) != 0 || len(gaps) != 1 || gaps[0].Missed != feedSize+extra {
			t.Errorf("%s: %d changes, gaps %v", name, len(list), gaps)
		}
	}
	add(3)
	if list, gaps = drain(t, slow); len(list) != 3 || len(gaps) != 0 {
		t.Errorf("after its gap: %d changes, gaps %v", len(list), gaps)
	}
}
