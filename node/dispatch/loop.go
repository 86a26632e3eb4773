package dispatch

import (
	"time"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/sched"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// plan leases ready tasks to workers until nothing more fits.
func (d *Dispatcher) plan() {
	for d.planOnce() {
	}
}

// batch is tasks of one class that a plan leased to one worker. It is on its
// way first into the queue, then to the worker.
type batch struct {
	worker *worker
	out    *outbox // to the worker's connection when the plan was made
	grants []queue.Grant
	items  []wire.Assignment // one for each grant
	once   bool              // they must not run twice: sent only when granted
}

// planOnce makes one plan and carries it out. It reports whether it leased
// anything. The leases enter the queue after d.mu is let go, for that may wait
// for the disk.
func (d *Dispatcher) planOnce() bool {
	classes := d.queue.Classes()
	if len(classes) == 0 {
		return false
	}
	batches := d.planBatches(classes, time.Now())
	for _, b := range batches {
		d.grant(b)
	}
	return len(batches) > 0
}

// planBatches makes one plan and enters its leases with the workers.
func (d *Dispatcher) planBatches(classes []queue.Class, now time.Time) []*batch {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.viewsLocked(now) {
		return nil
	}
	d.classesLocked(classes, now)
	var batches []*batch
	for _, a := range d.planner.Plan(d.classes, d.views).Assignments {
		class := classes[a.Class].ID
		if b := d.leaseLocked(class, d.byView[a.Worker], a.N); b != nil {
			batches = append(batches, b)
			d.passed[class] = now
		}
	}
	return batches
}

// viewsLocked fills d.views and reports whether any worker could take a task.
func (d *Dispatcher) viewsLocked(now time.Time) bool {
	drained := d.drained()
	d.views, d.byView = d.views[:0], d.byView[:0]
	some := false
	for _, w := range d.workers {
		v := w.view(drained[w.id], now)
		some = some || v.State == sched.Up && (v.Free.Slots > 0 || v.Backlog < v.BacklogMax)
		d.views = append(d.views, v)
		d.byView = append(d.byView, w)
	}
	return some
}

// drained is the set of members that a person has drained.
func (d *Dispatcher) drained() map[task.NodeID]bool {
	var set map[task.NodeID]bool
	for _, m := range d.queue.Members() {
		if m.Drained != 0 {
			if set == nil {
				set = make(map[task.NodeID]bool)
			}
			set[m.ID] = true
		}
	}
	return set
}

func (d *Dispatcher) classesLocked(cs []queue.Class, now time.Time) {
	d.classes = d.classes[:0]
	for _, c := range cs {
		since, ok := d.passed[c.ID]
		if !ok {
			since = now
			d.passed[c.ID] = now
		}
		d.classes = append(d.classes, sched.Class{
			Key: uint64(c.ID), Need: c.Need, Priority: c.Priority,
			Delivery: c.Delivery, Count: c.Count, Oldest: c.Oldest, Waiting: now.Sub(since),
		})
	}
	if len(d.passed) > 2*len(cs)+64 {
		live := make(map[queue.ClassID]time.Time, len(cs))
		for _, c := range cs {
			live[c.ID] = d.passed[c.ID]
		}
		d.passed = live
	}
}

// leaseLocked takes up to n tasks of a class for w, or returns nil.
func (d *Dispatcher) leaseLocked(class queue.ClassID, w *worker, n int) *batch {
	if w.out == nil {
		return nil
	}
	items := d.queue.Take(class, n)
	if len(items) == 0 {
		return nil
	}
	b := &batch{
		worker: w, out: w.out, once: items[0].Spec.Delivery == task.AtMostOnce,
		grants: make([]queue.Grant, len(items)), items: make([]wire.Assignment, len(items)),
	}
	for i := range items {
		it := &items[i]
		b.grants[i] = queue.Grant{ID: it.ID, Fence: it.Fence}
		b.items[i] = wire.Assignment{ID: it.ID, Fence: it.Fence, Spec: it.Spec}
		if len(it.Spec.Secrets) > 0 && d.opt.Seal != nil {
			b.items[i].Spec.Secrets = d.opt.Seal.Again(&it.Spec, it.ID, it.Fence, w.seal)
		}
		if it.Spec.Timeout == 0 {
			b.items[i].Spec.Timeout = d.opt.TaskTimeout
		}
		l := lease{Lease: wire.Lease{ID: it.ID, Fence: it.Fence}, need: it.Spec.Need, once: it.Spec.Delivery == task.AtMostOnce}
		d.noteGrant(w, l)
		w.add(l)
	}
	return b
}

// grant enters the leases of a batch in the queue. What may run twice is sent
// while the grant commits; what may not, afterwards.
func (d *Dispatcher) grant(b *batch) {
	d.queue.Grant(b.worker.id, b.grants).Then(func(vs []queue.GrantVerdict, err error) { d.granted(b, vs, err) })
	if !b.once {
		d.send(b, b.items)
	}
}

// granted deals with what became of grants: those that were refused are taken
// back, and tasks that must not run twice are sent only now.
func (d *Dispatcher) granted(b *batch, vs []queue.GrantVerdict, err error) {
	var stop []wire.StopItem
	good := b.items[:0:0]
	d.mu.Lock()
	for i := range b.items {
		l := wire.Lease{ID: b.items[i].ID, Fence: b.items[i].Fence}
		if err == nil && vs[i] == queue.Granted {
			good = append(good, b.items[i])
			d.notifyLocked(l.ID)
			continue
		}
		d.note(task.EvUngrant, b.worker, l)
		b.worker.remove(l)
		if !b.once {
			stop = append(stop, wire.StopItem{Lease: l, GraceMs: -1, Drop: true})
		}
	}
	d.mu.Unlock()
	if err != nil {
		d.log.Warn("leases could not be stored", "node", b.worker.name, "count", len(b.items), "error", err)
	}
	if b.once && len(good) > 0 {
		d.send(b, good)
	}
	if len(stop) > 0 {
		b.out.stop(stop)
		d.poke()
	}
}

// send assigns tasks to the worker of a batch. What it does not hold any more,
// what was cancelled, and what cannot get over the connection that the plan was
// made for, goes back to the queue: it was never sent. Between the plan and now
// the worker may have been lost or have connected anew, and what was given back
// then came before the grant and had no effect.
func (d *Dispatcher) send(b *batch, items []wire.Assignment) {
	var back []queue.Release
	good := items[:0:0]
	d.mu.Lock()
	for i := range items {
		l := wire.Lease{ID: items[i].ID, Fence: items[i].Fence}
		if b.worker.out == b.out && b.worker.wants(l) {
			good = append(good, items[i])
			continue
		}
		if b.worker.remove(l) {
			d.note(task.EvRequeue, b.worker, l)
		}
		back = append(back, queue.Release{ID: l.ID, Fence: l.Fence, Why: queue.NeverStarted})
	}
	if len(good) > 0 {
		b.out.assign(good)
	}
	d.mu.Unlock()
	d.giveBack(back)
}
