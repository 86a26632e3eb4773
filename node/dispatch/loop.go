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

// planOnce makes one plan and carries it out. It reports whether it leased
// anything.
func (d *Dispatcher) planOnce() bool {
	classes := d.queue.Classes()
	if len(classes) == 0 {
		return false
	}
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.viewsLocked(now) {
		return false
	}
	d.classesLocked(classes, now)
	res := d.planner.Plan(d.classes, d.views)
	leased := false
	for _, a := range res.Assignments {
		if d.leaseLocked(classes[a.Class].ID, d.byView[a.Worker], a.N) {
			leased = true
			d.passed[classes[a.Class].ID] = now
		}
	}
	return leased
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

// leaseLocked takes up to n tasks of a class and leases them to w. What may
// run twice is sent while the grant commits; what may not, afterwards.
func (d *Dispatcher) leaseLocked(class queue.ClassID, w *worker, n int) bool {
	out := w.out
	if out == nil {
		return false
	}
	items := d.queue.Take(class, n)
	if len(items) == 0 {
		return false
	}
	grants := make([]queue.Grant, len(items))
	send := make([]wire.Assignment, len(items))
	for i := range items {
		it := &items[i]
		grants[i] = queue.Grant{ID: it.ID, Fence: it.Fence}
		send[i] = wire.Assignment{ID: it.ID, Fence: it.Fence, Spec: it.Spec}
		if len(it.Spec.Secrets) > 0 && d.opt.Seal != nil {
			send[i].Spec.Secrets = d.opt.Seal.Again(&it.Spec, it.ID, it.Fence, w.seal)
		}
		if it.Spec.Timeout == 0 {
			send[i].Spec.Timeout = d.opt.TaskTimeout
		}
		l := lease{Lease: wire.Lease{ID: it.ID, Fence: it.Fence}, need: it.Spec.Need, once: it.Spec.Delivery == task.AtMostOnce}
		d.noteGrant(w, l)
		w.add(l)
	}
	once := items[0].Spec.Delivery == task.AtMostOnce
	d.queue.Grant(w.id, grants).Then(func(vs []queue.GrantVerdict, err error) {
		d.granted(w, out, send, vs, err, once)
	})
	if !once {
		out.assign(send)
	}
	return true
}

// granted deals with what became of grants: those that were refused are taken
// back, and tasks that must not run twice are sent only now.
func (d *Dispatcher) granted(w *worker, out *outbox, sent []wire.Assignment, vs []queue.GrantVerdict, err error, once bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var stop []wire.StopItem
	now := sent[:0:0]
	for i := range sent {
		l := wire.Lease{ID: sent[i].ID, Fence: sent[i].Fence}
		if err == nil && vs[i] == queue.Granted {
			if once {
				now = append(now, sent[i])
			}
			d.notifyLocked(l.ID)
			continue
		}
		d.note(task.EvUngrant, w, l)
		w.remove(l)
		if !once {
			stop = append(stop, wire.StopItem{Lease: l, GraceMs: -1, Drop: true})
		}
	}
	if err != nil {
		d.log.Warn("leases could not be stored", "node", w.name, "count", len(sent), "error", err)
	}
	if once && len(now) > 0 {
		if w.out == out {
			out.assign(now)
		} else {
			d.neverSentLocked(w, now)
		}
	}
	if len(stop) > 0 {
		out.stop(stop)
		d.poke()
	}
}

// neverSentLocked gives back what was granted for a connection that broke
// before it was sent.
func (d *Dispatcher) neverSentLocked(w *worker, items []wire.Assignment) {
	var back []queue.Return
	for _, it := range items {
		l := wire.Lease{ID: it.ID, Fence: it.Fence}
		if w.remove(l) {
			d.note(task.EvRequeue, w, l)
			back = append(back, queue.Return{ID: it.ID, Fence: it.Fence, Why: queue.NeverStarted})
		}
	}
	go d.giveBack(back)
}
