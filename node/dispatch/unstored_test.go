package dispatch

import (
	"os"
	"testing"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// A change that could not be stored is stored as soon as that is possible. A
// task whose result came while the disk was full stayed running for ever.
func TestOwedChangesAreTriedAgain(t *testing.T) {
	d := openDispatcher(t)
	tries, room := 0, false
	var try func()
	try = func() {
		if tries++; !room {
			d.keepUnstored(try, task.Errorf(task.KindDisk, "full"))
		}
	}
	try()
	d.tryUnstored()
	room = true
	d.tryUnstored()
	d.tryUnstored()
	if tries != 3 || len(d.unstored.again) != 0 || d.unstored.said {
		t.Errorf("tried %d times, %d are left, still said: %v", tries, len(d.unstored.again), d.unstored.said)
	}
}

// lease1 leases task 1 to w1 and returns its lease.
func (d *Dispatcher) lease1(t *testing.T) wire.Lease {
	t.Helper()
	items := d.queue.Take(d.queue.Classes()[0].ID, 1)
	l := wire.Lease{ID: items[0].ID, Fence: items[0].Fence}
	if _, err := d.queue.Grant("w1", []queue.Grant{{ID: l.ID, Fence: l.Fence}}).Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.hold(l)
	return l
}

// A worker was lost with an attempt: what it wrote lies here, and it had started.
func TestLostAttemptKeepsItsLines(t *testing.T) {
	d := openDispatcher(t)
	d.mustSubmit(t)
	l := d.lease1(t)
	d.queue.MarkRunning([]queue.Started{{ID: l.ID, Fence: l.Fence, At: 77}})
	head := stream(0, 10)
	if err := os.WriteFile(d.outputs.path(l), head, 0o600); err != nil {
		t.Fatal(err)
	}
	d.giveBack([]queue.Release{{ID: l.ID, Fence: l.Fence, Why: queue.LeaseLost, Message: "w1 was silent"}})
	f, err := d.Follow(t.Context(), control.FollowRequest{ID: 1, Output: true, NoWait: true})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var text, remark string
	for {
		item, err := f.Next()
		if err != nil {
			break
		}
		for _, c := range item.Chunks {
			if c.Stream == 0 {
				remark += string(c.Data)
				continue
			}
			text += string(c.Data)
		}
	}
	got, _ := d.queue.Get(1)
	a := got.Attempts[0]
	if a.Started != 77 || a.Output.Bytes != int64(len(plain(head))) || text != plain(head) || remark == "" {
		t.Errorf("the attempt is %+v; read %q and the remark %q", a, text, remark)
	}
}

func TestIndexOfAttempt(t *testing.T) {
	three := &task.Task{Attempts: []task.Attempt{{Fence: task.Fence{Attempt: 1}}, {Fence: task.Fence{Attempt: 3}}, {Fence: task.Fence{Attempt: 4}}}}
	for _, tc := range []struct {
		number uint32
		from   int
		want   int
	}{{0, 0, 0}, {0, 2, 2}, {0, 3, -1}, {3, 0, 1}, {3, 2, -1}, {2, 0, -1}, {9, 0, -1}} {
		if got := indexOfAttempt(three, tc.number, tc.from); got != tc.want {
			t.Errorf("attempt %d from %d is at %d, want %d", tc.number, tc.from, got, tc.want)
		}
	}
}
