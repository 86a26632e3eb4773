package queue_test

import (
	"context"
	"errors"
	"testing"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/task"
)

// drain reads what there is now.
func drain(t *testing.T, w *queue.Watcher) (list []queue.Change, gaps []*queue.Gap) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for {
		cs, err := w.Next(ctx)
		if g, ok := errors.AsType[*queue.Gap](err); ok {
			gaps = append(gaps, g)
			continue
		}
		if err != nil {
			return list, gaps
		}
		list = append(list, cs...)
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
