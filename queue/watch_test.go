package queue

import (
	"context"
	"errors"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
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
	q := openMem(t, t.TempDir(), newClock())
	defer q.Close()
	oldest, slow := q.Watch(1), q.Watch(0)
	list, gaps := drain(t, oldest)
	if len(list)+len(gaps) != 0 {
		t.Fatalf("a new queue has %d changes and gaps %v", len(list), gaps)
	}
	const extra = 1000
	add := func(n int) {
		q.State.mu.Lock()
		defer q.State.mu.Unlock()
		for range n {
			q.feed.add(q.top.index+1, &Change{ID: 1})
		}
		q.feed.notify()
	}
	add(feedSize)
	middle := q.feed.ring[feedSize/2].Seq
	if list, gaps = drain(t, q.Watch(middle)); len(list) != feedSize/2-1 || len(gaps) != 0 || list[0].Seq != middle+1 {
		t.Errorf("from the middle: %d changes, gaps %v", len(list), gaps)
	}
	add(extra)
	for name, w := range map[string]*Watcher{"the oldest": q.Watch(1), "a position that is gone": q.Watch(q.feed.base - 1)} {
		list, gaps = drain(t, w)
		if len(list) != feedSize || len(gaps) != 1 || list[0].Seq != q.feed.base+1 {
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

// A position of an earlier start is behind everything of this one.
func TestWatchOverARestart(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	q := openMem(t, dir, c)
	must(t, q.Submit("me", []task.NewTask{shell("a")}))
	w := q.Watch(1)
	if list, gaps := drain(t, w); len(list) != 1 || len(gaps) != 0 {
		t.Fatalf("%v %v", list, gaps)
	}
	at := w.Position()
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = openMem(t, dir, c)
	defer q.Close()
	must(t, q.Submit("me", []task.NewTask{shell("b")}))
	list, gaps := drain(t, q.Watch(at))
	if len(list) != 1 || list[0].ID != 2 || len(gaps) != 1 || !gaps[0].Earlier || gaps[0].Missed != 0 {
		t.Errorf("%+v, gaps %+v", list, gaps)
	}
}

// Stamps lie between the changes around them.
func TestStamp(t *testing.T) {
	q := openMem(t, t.TempDir(), newClock())
	defer q.Close()
	w := q.Watch(0)
	var at []uint64
	for range 3 {
		must(t, q.Submit("me", []task.NewTask{shell("a")}))
		list, _ := drain(t, w)
		at = append(at, list[0].Seq, q.Stamp(), q.Stamp())
	}
	for i := 1; i < len(at); i++ {
		if at[i] <= at[i-1] {
			t.Fatalf("positions %d", at)
		}
	}
	if _, _, err := w.Poll(); err != nil || w.Position() != at[len(at)-1] {
		t.Errorf("at %d, want %d: %v", w.Position(), at[len(at)-1], err)
	}
}
