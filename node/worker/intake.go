package worker

import (
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// assign takes new attempts. One that is held already is ignored: the
// assignment was repeated. What comes over a connection that a later one has
// replaced is not looked at: the later one has told the dispatcher already
// that these are not held.
func (w *Worker) assign(c *conn, m wire.Assign) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != c {
		return
	}
	if m.Term < w.term {
		w.log.Warn("assignment of an old dispatcher ignored", "term", m.Term, "obeying", w.term)
		return
	}
	w.noteTerm(m.Term)
	for i := range m.Items {
		it := &m.Items[i]
		l := wire.Lease{ID: it.ID, Fence: it.Fence}
		if _, held := w.attempts[l]; held {
			continue
		}
		a := &attempt{Lease: l, Spec: it.Spec, w: w}
		switch {
		case w.stopped:
			w.out.declined = append(w.out.declined, wire.Decline{Lease: l, Why: "the node is stopping"})
			continue
		case w.draining:
			w.out.declined = append(w.out.declined, wire.Decline{Lease: l, Why: "the node is draining"})
			continue
		case w.tooSmallLocked(it.Spec.Need):
			w.out.declined = append(w.out.declined, wire.Decline{Lease: l, Why: w.taints[len(w.taints)-1].String()})
			continue
		}
		w.attempts[l] = a
		w.waiting = append(w.waiting, a)
	}
	w.startLocked()
	w.wake()
}

// startLocked starts what fits, in the order of assignment: the first that
// does not fit holds those behind it back, so that nothing starves here.
func (w *Worker) startLocked() {
	for len(w.waiting) > 0 && !w.expiredLocked() {
		a := w.waiting[0]
		c, ok := w.free.take(a.Spec.Need)
		if !ok {
			return
		}
		w.waiting[0] = nil
		w.waiting = w.waiting[1:]
		if len(w.waiting) == 0 {
			w.waiting = nil
		}
		a.claim = c
		a.state = running
		if a.Spec.Null {
			w.runNullLocked(a)
			continue
		}
		w.running.Add(1)
		go w.runFrom(a)
	}
}

// nextLocked takes the next attempt off the queue if it fits, for the
// goroutine of one that has just ended.
func (w *Worker) nextLocked() *attempt {
	if len(w.waiting) == 0 || w.stopped || w.expiredLocked() {
		return nil
	}
	a := w.waiting[0]
	c, ok := w.free.take(a.Spec.Need)
	if !ok || a.Spec.Null {
		w.free.give(&c)
		return nil
	}
	w.waiting[0] = nil
	w.waiting = w.waiting[1:]
	a.claim, a.state = c, running
	return a
}

// halt ends attempts because the dispatcher says so.
func (w *Worker) halt(m wire.Stop) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, it := range m.Items {
		w.haltLocked(it)
	}
	w.startLocked()
	w.wake()
}

func (w *Worker) haltLocked(it wire.StopItem) {
	a := w.attempts[it.Lease]
	if a == nil {
		// Not known, so it was never received or has been dealt with: say that
		// it does not run here.
		if !it.Drop {
			w.out.declined = append(w.out.declined, wire.Decline{Lease: it.Lease, Why: "not held by this worker"})
		}
		return
	}
	a.drop = a.drop || it.Drop
	a.stopped = true
	switch a.state {
	case waiting:
		w.unqueueLocked(a)
		if a.drop {
			w.forgetLocked(a)
			return
		}
		w.declineLocked(a, "stopped before it started")
	case running:
		if a.run != nil {
			a.run.Cancel(graceOf(it.GraceMs))
		}
	case ended:
		if a.drop {
			w.forgetLocked(a)
		}
	}
}

func (w *Worker) unqueueLocked(a *attempt) {
	for i, b := range w.waiting {
		if a == b {
			w.waiting = append(w.waiting[:i:i], w.waiting[i+1:]...)
			return
		}
	}
}

// declineLocked gives an attempt back that has not started.
func (w *Worker) declineLocked(a *attempt, why string) {
	w.out.declined = append(w.out.declined, wire.Decline{Lease: a.Lease, Why: why})
	w.forgetLocked(a)
}

// forgetLocked ends what the worker knows of an attempt.
func (w *Worker) forgetLocked(a *attempt) {
	if w.attempts[a.Lease] != a {
		return
	}
	delete(w.attempts, a.Lease)
	if a.state == ended {
		if a.drop {
			w.noteVerdict(a.Lease, wire.Fenced)
		}
		w.note(task.EvSpoolDrop, a.Lease, nil)
	}
	w.free.give(&a.claim)
	w.spool.forget(a)
	w.changedLocked()
}

// acked drops results that the dispatcher has recorded.
func (w *Worker) acked(m wire.ResultAck) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, it := range m.Items {
		if a := w.attempts[it.Lease]; a != nil && a.state == ended {
			w.noteVerdict(it.Lease, it.Verdict)
			w.forgetLocked(a)
		}
	}
}
