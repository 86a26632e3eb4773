package dispatch

import (
	"log/slog"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue"
)

// TestStuckLoop: a loop that does not come round between six looks is told
// once; one that does never is, however long the looks are apart.
func TestStuckLoop(t *testing.T) {
	stuck := make(chan struct{}, 1)
	d, err := New(Options{Queue: memQueue(t), Node: "d", Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler), Stuck: func() { stuck <- struct{}{} }})
	if err != nil {
		t.Fatal(err)
	}
	looks := make(chan time.Time)
	ended := make(chan struct{})
	go func() { defer close(ended); d.watchTurns(t.Context(), looks) }()
	for range 3 * stuckLooks {
		d.turns.Add(1)
		looks <- time.Time{}
	}
	for range stuckLooks - 1 {
		looks <- time.Time{}
	}
	select {
	case <-stuck:
		t.Fatal("told too early")
	default:
	}
	looks <- time.Time{}
	<-ended
	select {
	case <-stuck:
	default:
		t.Fatal("a loop that hangs was not told")
	}
}

// TestIdleLoopIsNotStuck: a loop that has nothing to do comes round when it is
// looked at.
func TestIdleLoopIsNotStuck(t *testing.T) {
	d := lateDispatcher(t, queue.Options{MinFree: -1})
	var w watchdog
	for range 3 * stuckLooks {
		before := d.turns.Load()
		d.poke()
		if err := d.Alive(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d.turns.Load() == before {
			// Alive was answered by the turn that the poke began.
			_ = d.Alive(t.Context())
		}
		if w.look(d.turns.Load()) {
			t.Fatal("an idle loop is taken for one that hangs")
		}
	}
}
