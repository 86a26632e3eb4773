package dispatch

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/queuetest"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// lateDispatcher runs a dispatcher on a log whose Propose returns only after
// the change has settled.
func lateDispatcher(t *testing.T, o queue.Options) *Dispatcher {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	o.Dir, o.Logger = t.TempDir(), quiet
	s, err := queue.OpenState(o)
	if err != nil {
		t.Fatal(err)
	}
	q := queue.New(s, queuetest.LateLog{Log: queuetest.NewMemLog(s)}, o)
	d, err := New(Options{Queue: q, Node: "dispatcher", Dir: t.TempDir(), Beat: time.Minute, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case <-done:
			_ = q.Close()
		case <-time.After(10 * time.Second):
			t.Error("the dispatcher does not end: it hangs on a lock")
		}
	})
	return d
}

func submitOne(t *testing.T, d *Dispatcher, delivery task.Delivery) task.ID {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r, err := d.queue.Submit("me", []task.NewTask{{Spec: task.Spec{Shell: "true", Delivery: delivery}}}).Wait(ctx)
	if err != nil {
		t.Fatal("submit:", err)
	}
	d.poke()
	return r.Tasks[0].ID
}

// connectWorker enters a worker with one slot.
func connectWorker(t *testing.T, d *Dispatcher, name task.NodeID) (*worker, *outbox) {
	t.Helper()
	reg := wire.Register{Name: string(name), Boot: "boot", Capacity: task.Capacity{Slots: 1, CPU: 1000, MemoryMB: 100}}
	w, out, _, err := d.register(Peer{ID: name}, reg, func() {})
	if err != nil {
		t.Fatal(err)
	}
	d.poke()
	return w, out
}

// assigned waits for the next task that is sent to a worker.
func assigned(t *testing.T, out *outbox) wire.Lease {
	t.Helper()
	end := time.After(10 * time.Second)
	for {
		for _, m := range out.next(1) {
			if a, ok := m.(wire.Assign); ok {
				return wire.Lease{ID: a.Items[0].ID, Fence: a.Items[0].Fence}
			}
		}
		select {
		case <-out.signal:
		case <-end:
			t.Fatal("nothing was assigned: the dispatcher hangs on a lock")
		}
	}
}

// reaches waits until a task is in a state.
func reaches(t *testing.T, d *Dispatcher, id task.ID, want task.State) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	w := d.queue.Watch(0)
	for {
		if got, err := d.queue.Get(id); err != nil || got.State == want {
			return
		}
		if _, err := w.Next(ctx); err != nil {
			got, _ := d.queue.Get(id)
			t.Fatalf("task %d stays %s, want %s", id, got.State, want)
		}
	}
}

// TestCallbacksOnALateLog: whoever asks to be told of a change, and locks
// something then, may have been told before the call that made it returned.
func TestCallbacksOnALateLog(t *testing.T) {
	for _, delivery := range []task.Delivery{task.AtLeastOnce, task.AtMostOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			d := lateDispatcher(t, queue.Options{MinFree: -1})
			w, out := connectWorker(t, d, "w1")
			id := submitOne(t, d, delivery)
			l := assigned(t, out)
			d.declined(w, []wire.Decline{{Lease: l, Why: "no"}}) // giveBack
			d.mu.Lock()
			w.cool = time.Time{}
			d.mu.Unlock()
			d.poke()
			l = assigned(t, out)
			d.results(w, out, []wire.Result{{Lease: l, Exit: task.Exit{Reason: task.ReasonExit}}}) // Record
			reaches(t, d, id, task.Done)

			id = submitOne(t, d, delivery)
			l = assigned(t, out)
			d.results(w, out, []wire.Result{{Lease: l, Exit: task.Exit{Reason: task.ReasonNodeLost}}}) // Return
			if delivery == task.AtMostOnce {
				reaches(t, d, id, task.Lost)
				id = submitOne(t, d, delivery)
			}
			assigned(t, out)
			d.expire(time.Now().Add(time.Hour)) // giveBack
			want := task.Queued
			if delivery == task.AtMostOnce {
				want = task.Lost
			}
			reaches(t, d, id, want)
		})
	}
}

// TestNotSentWhatIsNotHeld: a task that is cancelled, or whose worker is lost,
// between the plan and the grant is not sent, and does not stay leased.
func TestNotSentWhatIsNotHeld(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(d *Dispatcher, w *worker, l wire.Lease)
		want   task.State
	}{
		{"the worker was lost", func(_ *Dispatcher, w *worker, _ wire.Lease) { w.clear() }, task.Queued},
		{"it connected anew", func(d *Dispatcher, w *worker, _ wire.Lease) { w.out = newOutbox() }, task.Queued},
		{"it was cancelled", func(d *Dispatcher, w *worker, l wire.Lease) {
			d.stopLocked(queue.CancelReply{ID: l.ID, Node: w.id, Fence: l.Fence}, -1)
		}, task.Queued},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := memQueue(t)
			d, err := New(Options{Queue: q, Node: "dispatcher", Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			w, out := connectWorker(t, d, "w1")
			id := submitOne(t, d, task.AtLeastOnce)
			batches := d.planBatches(q.Classes(), time.Now())
			if len(batches) != 1 {
				t.Fatalf("%d batches", len(batches))
			}
			b := batches[0]
			l := wire.Lease{ID: b.items[0].ID, Fence: b.items[0].Fence}
			d.mu.Lock()
			c.change(d, w, l)
			d.mu.Unlock()
			d.grant(b)
			reachesLeased(t, d, id)
			reaches(t, d, id, c.want)
			for _, m := range out.next(1) {
				if a, ok := m.(wire.Assign); ok {
					t.Errorf("assigned %v", a.Items)
				}
			}
			if w.used.Tasks != 0 {
				t.Errorf("the worker is still charged with %d tasks", w.used.Tasks)
			}
		})
	}
}

// reachesLeased waits until a grant of the task was applied, whatever came of it.
func reachesLeased(t *testing.T, d *Dispatcher, id task.ID) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	w := d.queue.Watch(1) // everything there is
	for {
		cs, err := w.Next(ctx)
		if err != nil {
			t.Fatal("no grant was applied:", err)
		}
		for _, c := range cs {
			if c.ID == id && c.To == task.Assigned {
				return
			}
		}
	}
}

func memQueue(t *testing.T) *queue.Queue {
	t.Helper()
	o := queue.Options{Dir: t.TempDir(), MinFree: -1, Logger: slog.New(slog.DiscardHandler)}
	s, err := queue.OpenState(o)
	if err != nil {
		t.Fatal(err)
	}
	q := queue.New(s, queuetest.NewMemLog(s), o)
	t.Cleanup(func() { _ = q.Close() })
	return q
}
