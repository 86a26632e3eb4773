package dispatch

import (
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/sched"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// lease is an attempt that a worker holds, as far as the dispatcher knows.
type lease struct {
	wire.Lease
	need       task.Need
	once       bool // at most once
	cancelling bool
}

// worker is what is known of one worker. It is guarded by the dispatcher's
// mutex.
type worker struct {
	id       task.NodeID
	name     string
	addr     string
	version  string
	boot     string
	state    sched.State
	leaving  bool // it said that it takes no more
	cap      task.Capacity
	load     task.Load
	rtt      time.Duration
	warnings []string
	seal     []byte // public key of its run, for secrets
	heard    time.Time
	seen     int64 // Unix ms
	skew     skew
	leases   map[task.ID]lease
	live     map[task.ID]task.Live // of the last heartbeat
	ledger   sched.Ledger
	used     control.Used
	flow     flow
	done     uint64
	failed   uint64
	out      *outbox   // to its current connection, or nil
	cool     time.Time // until then it gets nothing, for it could not start what it got
}

// workerLocked finds a worker or enters one of which nothing is known yet: the
// queue has leases of it, or it is about to register.
func (d *Dispatcher) workerLocked(id task.NodeID) *worker {
	w := d.workers[id]
	if w == nil {
		w = &worker{id: id, name: id.Short(), heard: time.Now(), state: sched.Stale, leases: make(map[task.ID]lease)}
		for _, m := range d.queue.Members() {
			if m.ID == id {
				w.name = m.Name
			}
		}
		d.workers[id] = w
	}
	return w
}

func (w *worker) add(l lease) {
	w.leases[l.ID] = l
	w.ledger.Add(l.need)
	w.use(l, 1)
}

// wants reports whether the worker holds the lease with this very fence, and
// nobody has cancelled it.
func (w *worker) wants(l wire.Lease) bool {
	have, ok := w.leases[l.ID]
	return ok && have.Fence == l.Fence && !have.cancelling
}

// remove takes a lease off, if it is still the one with this fence, and reports
// whether it was.
func (w *worker) remove(l wire.Lease) bool {
	have, ok := w.leases[l.ID]
	if !ok || have.Fence != l.Fence {
		return false
	}
	delete(w.leases, l.ID)
	delete(w.live, l.ID)
	w.ledger.Remove(have.need)
	w.use(have, -1)
	return true
}

func (w *worker) use(l lease, n int) {
	w.used.CPU += l.need.CPUs() * task.Milli(n)
	w.used.MemoryMB += l.need.MemoryMB * int64(n)
	w.used.GPUs += l.need.GPUs * int32(n)
	w.used.Tasks += int32(n)
}

func (w *worker) clear() {
	w.leases = make(map[task.ID]lease)
	w.live = nil
	w.ledger = sched.Ledger{}
	w.used = control.Used{}
}

// view is the worker as a plan sees it.
func (w *worker) view(drained bool, now time.Time) sched.Worker {
	v := sched.Worker{ID: w.id, Name: w.name, State: w.state, Cap: w.cap, Load: w.load}
	if v.State == sched.Up && (drained || w.leaving) {
		v.State = sched.Draining
	}
	if v.State == sched.Up && (w.out == nil || now.Before(w.cool)) {
		v.State = sched.Stale
	}
	if v.State == sched.Up && w.load.DiskFull {
		v.State = sched.DiskFull
	}
	w.ledger.Fill(&v)
	v.BacklogMax = w.flow.backlog(now)
	return v
}

// flow measures how fast a worker ends attempts, to know how many it needs in
// advance so that it never waits for the next.
type flow struct {
	since time.Time
	count int
	rate  float64 // per second, smoothed
}

// Backlog covers the time that a hand-over takes, four times what a worker waits
// to gather results; slow tasks get none, so that they go to whoever is free first.
const (
	backlogTime = 100 * time.Millisecond
	backlogMin  = 2
	backlogMax  = 2048
	flowWindow  = 5 * time.Millisecond
	flowForget  = time.Second
)

func (f *flow) ended(n int, now time.Time) {
	if f.since.IsZero() || now.Sub(f.since) > flowForget {
		f.since, f.count, f.rate = now, 0, 0
	}
	f.count += n
	if span := now.Sub(f.since); span >= flowWindow {
		r := float64(f.count) / span.Seconds()
		f.rate = (f.rate + r) / 2
		f.since, f.count = now, 0
	}
}

func (f *flow) backlog(now time.Time) int {
	if now.Sub(f.since) > flowForget {
		return 0
	}
	n := int(f.rate * backlogTime.Seconds())
	if n < backlogMin {
		return 0
	}
	return min(n, backlogMax)
}
