package dispatch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/sched"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// note records an event about a lease, for tests.
func (d *Dispatcher) note(kind task.EventKind, w *worker, l wire.Lease) {
	if d.opt.History == nil {
		return
	}
	d.opt.History.Record(task.Event{Kind: kind, Task: l.ID, Term: l.Fence.Term, Attempt: l.Fence.Attempt, Worker: string(w.id)})
}

func (d *Dispatcher) noteGrant(w *worker, l lease) {
	if d.opt.History == nil {
		return
	}
	v := sched.Worker{Cap: w.cap}
	w.ledger.Fill(&v)
	d.opt.History.Record(task.Event{
		Kind: task.EvGrant, Task: l.ID, Term: l.Fence.Term, Attempt: l.Fence.Attempt, Worker: string(w.id),
		CPU: l.need.CPUs(), MemoryMB: l.need.MemoryMB, GPUs: l.need.GPUs,
		Backlog: v.Free.Slots < 1 || v.Free.CPU < l.need.CPUs() || v.Free.MemoryMB < l.need.MemoryMB || v.Free.GPUs < l.need.GPUs,
	})
}

func (d *Dispatcher) noteCapacity(w *worker) {
	task.Note(d.opt.History, task.Event{
		Kind: task.EvCapacity, Worker: string(w.id),
		CPU: w.cap.CPU, MemoryMB: w.cap.MemoryMB, GPUs: w.cap.GPUs, Slots: w.cap.Slots,
	})
}

// noteEnd records that a task has come to its end.
func (d *Dispatcher) noteEnd(id task.ID, f task.Fence, st task.State) {
	if d.opt.History == nil || !st.Terminal() {
		return
	}
	e := task.Event{Kind: task.EvRecord, Task: id, Term: f.Term, Attempt: f.Attempt, State: st}
	if t, err := d.queue.Get(id); err == nil {
		e.Hash = ResultHash(&t)
	}
	d.opt.History.Record(e)
}

func (d *Dispatcher) noteReturned(rs []queue.Release, vs []queue.ReleaseReply) {
	for i, v := range vs {
		if v.Released {
			d.noteEnd(rs[i].ID, rs[i].Fence, v.State)
		}
	}
}

// ResultHash is a fingerprint of how a task ended, to notice if it changes.
func ResultHash(t *task.Task) string {
	h := sha256.New()
	fmt.Fprintln(h, t.State, t.Finished, len(t.Attempts))
	if a := t.Last(); a != nil {
		fmt.Fprintf(h, "%v %v %+v %d %x %x\n", a.Fence, a.Node, a.Exit, a.Output.Length, a.Output.SHA256, a.Output.Inline)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// noteChanges records each step of each task's life, in order.
func (d *Dispatcher) noteChanges(ctx context.Context, w *queue.Watcher) {
	for {
		cs, err := w.Next(ctx)
		if _, gap := errors.AsType[*queue.Gap](err); gap {
			continue
		}
		if err != nil {
			return
		}
		for _, c := range cs {
			if c.To == 0 {
				d.opt.History.Record(task.Event{Kind: task.EvPurge, Task: c.ID})
				continue
			}
			d.opt.History.Record(task.Event{Kind: task.EvChange, Task: c.ID, From: c.From, State: c.To})
		}
	}
}
