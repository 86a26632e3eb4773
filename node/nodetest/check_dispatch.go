package nodetest

import "github.com/adauldev/octaskly/queue/task"

// stepDispatch follows leases and ends on the dispatcher's time line.
func (c *checker) stepDispatch(e *task.Event) {
	switch e.Kind {
	case task.EvPromote:
		c.grants(e)
	case task.EvGrant:
		c.grants(e)
		c.granted(e)
	case task.EvUngrant, task.EvRelease, task.EvRequeue:
		c.close(e)
	case task.EvExpire:
		c.expired(e)
	case task.EvRecord:
		c.recorded(e)
	case task.EvChange:
		c.changed(e)
	case task.EvCancelOK:
		if l := c.life(e.Task); l.cancelled == nil {
			l.cancelled = e
		}
	}
}

// grants makes sure that one node rules a term.
func (c *checker) grants(e *task.Event) {
	if first, ruled := c.terms[e.Term]; ruled && first != e.Node {
		c.fail("I11", e.Task, "%s rules in term %d, which is %s's", e.Node, e.Term, first)
		return
	}
	c.terms[e.Term] = e.Node
}

func (c *checker) granted(e *task.Event) {
	l, f := c.life(e.Task), e.Fence()
	if c.has[task.EvStore] && !l.stored && !c.opt.Lossy {
		c.fail("I2", e.Task, "granted, but never stored")
	}
	if l.record != nil {
		c.fail("I4", e.Task, "granted (%s) after it had ended as %s", f, l.record.State)
	}
	if len(l.leases) > 0 && !l.last.Less(f) {
		c.fail("I6", e.Task, "granted with fence %s after %s", f, l.last)
	}
	if old := l.lease; old != nil && !(c.opt.Lossy && c.crashes > old.crashes) {
		c.fail("I7", e.Task, "granted (%s) to %s while %s holds it (%s)", f, e.Worker, old.worker, old.fence)
	}
	if x := l.cancelled; x != nil {
		c.fail("I13", e.Task, "granted (%s) after its cancel was acknowledged", f)
	}
	if verdict := l.acks[l.last]; verdict == verdictRecorded && l.succeeded(l.last) {
		c.fail("I12", e.Task, "granted (%s) again although its success in attempt %s was acknowledged", f, l.last)
	}
	c.free(l)
	l.last = f
	l.lease = &lease{fence: f, worker: e.Worker, use: useOf(e), backlog: e.Backlog, crashes: c.crashes}
	l.leases[f] = l.lease
	c.lend(e, l.lease)
}

func (l *life) succeeded(f task.Fence) bool {
	code, known := l.exits[f]
	return known && code == 0
}

// free ends the open lease, if there is one.
func (c *checker) free(l *life) {
	if l.lease != nil {
		c.giveBack(l.lease)
		l.lease = nil
	}
}

func (c *checker) close(e *task.Event) {
	l := c.life(e.Task)
	if l.lease != nil && l.lease.fence == e.Fence() {
		c.free(l)
	}
}

func (c *checker) expired(e *task.Event) {
	l := c.life(e.Task)
	if held := l.leases[e.Fence()]; held != nil {
		held.expired = true
		delete(c.worker(held.worker).running, leaseName{e.Task, e.Fence()}) // may run on, at its own risk
		if w := c.workers[held.worker]; w != nil && w.until > e.Time {
			c.fail("I7", e.Task, "its lease (%s) ended, and %s believes in it for another %d ms", e.Fence(), held.worker, (w.until-e.Time)/1e6)
		}
	}
	c.close(e)
}

func (c *checker) recorded(e *task.Event) {
	l, f := c.life(e.Task), e.Fence()
	switch {
	case !e.State.Terminal():
		c.fail("I4", e.Task, "recorded as %s, which is no end", e.State)
		return
	case l.record != nil && l.record.Kind == task.EvRecord:
		c.fail("I5", e.Task, "recorded as %s (%s, %s) after it was recorded as %s (%s, %s)",
			e.State, f, e.Hash, l.record.State, l.record.Fence(), l.record.Hash)
		return
	case e.State == task.Lost && l.known() && l.delivery != task.AtMostOnce:
		c.fail("I4", e.Task, "recorded as lost although it may run again")
	}
	switch {
	case f == (task.Fence{}):
		if l.lease != nil {
			c.fail("I6", e.Task, "ended as %s without a fence while %s holds it (%s)", e.State, l.lease.worker, l.lease.fence)
		}
	case l.leases[f] == nil && !c.mayBeMissing():
		c.fail("I6", e.Task, "recorded for fence %s, which was never granted", f)
	case f.Less(l.last):
		c.fail("I6", e.Task, "recorded for fence %s although %s was granted later", f, l.last)
	}
	if l.acks[f] == verdictRecorded {
		c.fail("I12", e.Task, "the result of attempt %s was acknowledged before it was recorded", f)
	}
	if x := l.record; x != nil && x.State != e.State {
		c.fail("I5", e.Task, "recorded as %s after it was listed as %s", e.State, x.State)
	}
	l.record = e
	c.free(l)
}

// mayBeMissing reports whether a grant may have been lost with its dispatcher.
func (c *checker) mayBeMissing() bool {
	return c.opt.Lossy && c.crashes > 0 || !c.has[task.EvGrant]
}

func (c *checker) changed(e *task.Event) {
	l := c.life(e.Task)
	if !e.From.MayBecome(e.State) {
		c.fail("I4", e.Task, "from %s to %s, which the table does not have", e.From, e.State)
	} else if l.state != e.From && !c.opt.Lossy {
		c.fail("I4", e.Task, "from %s to %s, but it was %s", e.From, e.State, l.state)
	}
	l.state = e.State
}
