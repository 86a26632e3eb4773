package worker

import (
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// leaseCheck is how often the worker looks whether its leases have ended.
const leaseCheck = 250 * time.Millisecond

// leaseEnd is when leases end that were renewed by a heartbeat sent at sent.
// The worker counts from when it sent, the dispatcher from when it received,
// which is later: the worker always lets go first.
func leaseEnd(sent, lease time.Duration) time.Duration { return sent + lease }

// checkLease lets go of what is no longer ours. Attempts that have not started
// are forgotten; those that must not run twice are killed; the others go on,
// for their result counts as long as nobody else was given the task.
func (w *Worker) checkLease() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.expiredLocked() {
		return
	}
	for _, a := range w.waiting {
		w.forgetLocked(a)
	}
	w.waiting = nil
	for _, a := range w.attempts {
		if a.state == running && a.Spec.Delivery == task.AtMostOnce && !a.expired {
			a.expired = true
			w.log.Warn("lease ended without a dispatcher: stopping a task that must not run twice", "task", a.ID)
			if a.run != nil {
				a.run.Cancel(-1)
			}
		}
	}
	// The dispatcher may not have noticed. A new connection tells it what is
	// still held here.
	if w.conn != nil {
		w.conn.close()
	}
}

// expiredLocked reports whether our leases have ended. Nothing is started then.
func (w *Worker) expiredLocked() bool { return w.lease != 0 && w.opt.Clock() >= w.until }

// leased reports whether our leases still stand.
func (w *Worker) leased() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.expiredLocked()
}
