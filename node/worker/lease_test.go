package worker

import (
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// What was assigned in the moment between the end of the leases and their
// renewal once waited for ever: nothing else came to start it.
func TestRenewalStartsWhatCameTooLate(t *testing.T) {
	now := 6 * time.Second
	w, err := New(Options{
		Dir: t.TempDir(), Boot: "b", Capacity: task.Capacity{CPU: 1000, Slots: 1, MemoryMB: 64},
		Clock: func() time.Duration { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	c := &conn{sent: map[uint64]time.Duration{1: 5 * time.Second}}
	w.conn, w.lease, w.until = c, 5*time.Second, 5*time.Second
	w.assign(c, wire.Assign{Items: []wire.Assignment{{ID: 1, Fence: task.Fence{Term: 1, Attempt: 1}, Spec: task.Spec{Null: true}}}})
	if len(w.waiting) != 1 || len(w.out.results) != 0 {
		t.Fatalf("%d wait and %d ended while the leases had ended", len(w.waiting), len(w.out.results))
	}
	w.renewed(c, wire.BeatAck{Seq: 1})
	if len(w.waiting) != 0 || len(w.out.results) != 1 {
		t.Errorf("%d wait and %d ended after the renewal", len(w.waiting), len(w.out.results))
	}
}
