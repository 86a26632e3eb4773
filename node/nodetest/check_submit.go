package nodetest

import (
	"slices"

	"github.com/adauldev/octaskly/queue/task"
)

// stepSubmit follows tasks from the submit to the lists that show them.
func (c *checker) stepSubmit(e *task.Event) {
	switch e.Kind {
	case task.EvSubmitCall:
		k := keyOf{e.By, e.Key}
		c.calls[k] = append(c.calls[k], e.Hash)
	case task.EvSubmitOK:
		c.submitted(e)
	case task.EvStore:
		c.stored(e)
	case task.EvPurge:
		c.life(e.Task).purged = true
	case task.EvReadCall:
		c.beginRead(e)
	case task.EvSeen:
		c.seen(e)
	case task.EvReadOK:
		c.endRead(e)
	}
}

func (c *checker) submitted(e *task.Event) {
	l := c.life(e.Task)
	if c.has[task.EvStore] && !l.stored {
		c.fail("I12", e.Task, "acknowledged before it was stored")
	}
	if !l.known() {
		l.hash, l.delivery, l.retries = e.Hash, e.Delivery, e.Retries
	}
	l.acked = true
	c.useKey(e)
	if l.hash != e.Hash {
		c.fail("I3", e.Task, "acknowledged for spec %s, but it is spec %s", e.Hash, l.hash)
	}
}

func (c *checker) stored(e *task.Event) {
	l := c.life(e.Task)
	if l.stored {
		c.fail("I12", e.Task, "the number was given to a second task")
		return
	}
	l.stored, l.hash, l.delivery, l.retries = true, e.Hash, e.Delivery, e.Retries
	if l.state == 0 && !c.has[task.EvChange] {
		l.state = task.Queued
	}
	if calls := c.calls[keyOf{e.By, e.Key}]; c.has[task.EvSubmitCall] && !slices.Contains(calls, e.Hash) {
		c.fail("I2", e.Task, "stored, but nobody submitted spec %s with key %q", e.Hash, e.Key)
	}
	c.useKey(e)
}

// useKey makes sure that a key stands for one task and one spec.
func (c *checker) useKey(e *task.Event) {
	if e.Key == "" {
		return
	}
	k := keyOf{e.By, e.Key}
	first := c.keys[k]
	switch {
	case first == nil:
		c.keys[k] = &firstUse{id: e.Task, hash: e.Hash}
	case first.id != e.Task:
		c.fail("I3", e.Task, "key %q stands for task %d already", e.Key, first.id)
	case first.hash != e.Hash:
		c.fail("I3", e.Task, "key %q was used for spec %s, and now for %s", e.Key, first.hash, e.Hash)
	}
}

func (c *checker) beginRead(e *task.Event) {
	r := &reading{seen: map[task.ID]bool{}, crashes: c.crashes}
	for _, id := range c.order {
		if l := c.lives[id]; l.acked && !l.purged {
			r.due = append(r.due, id)
		}
	}
	c.reads[e.Read] = r
}

func (c *checker) seen(e *task.Event) {
	if r := c.reads[e.Read]; r != nil {
		r.seen[e.Task] = true
	}
	l := c.life(e.Task)
	if c.has[task.EvStore] && !l.stored && !c.opt.Lossy {
		c.fail("I2", e.Task, "listed, but never stored")
	}
	switch {
	case !e.State.Terminal():
		if l.record != nil || l.ended {
			c.fail("I5", e.Task, "it had ended, and is listed as %s", e.State)
		}
		return
	case l.record == nil:
		// The end was applied in a process that did not live to say so.
		r := *e
		r.Term, r.Attempt = 0, 0
		if l.ended = true; c.opt.Lossy || !c.has[task.EvRecord] {
			l.record = &r
		}
	case l.record.State != e.State || l.record.Hash != e.Hash && e.Hash != "" && l.record.Hash != "":
		c.fail("I5", e.Task, "it ended as %s (%s) and is listed as %s (%s)", l.record.State, l.record.Hash, e.State, e.Hash)
	}
}

func (c *checker) endRead(e *task.Event) {
	r := c.reads[e.Read]
	if r == nil {
		return
	}
	for _, id := range r.due {
		if r.seen[id] || c.lives[id].purged {
			continue
		}
		c.fail("I1", id, "acknowledged, and missing in a complete list after %d crashes", r.crashes)
	}
	delete(c.reads, e.Read)
}
