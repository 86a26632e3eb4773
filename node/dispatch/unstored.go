package dispatch

import (
	"context"
	"os"
	"time"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// storeAgainEvery is how often what could not be stored is tried again.
const storeAgainEvery = time.Second

// unstored is the changes that the queue refused to store: its disk was full, or it
// did not say what became of them. Each is of an attempt that has ended, so they
// are bounded by the leases there were. Storing one twice does no harm: the
// second time its lease is not held any more. Guarded by the dispatcher's mutex.
type unstored struct {
	again []func()
	said  bool // the log said that something is not stored
}

// keepUnstored has a change tried again after a while, until it is stored or this node
// does not dispatch any more.
func (d *Dispatcher) keepUnstored(again func(), err error) {
	d.mu.Lock()
	d.unstored.again = append(d.unstored.again, again)
	say := !d.unstored.said
	d.unstored.said = true
	d.mu.Unlock()
	if say {
		d.log.Error("ends of attempts could not be stored; they are tried again until they are", "error", err)
	}
}

// storeAgain tries again what is unstored, until ctx ends.
func (d *Dispatcher) storeAgain(ctx context.Context) {
	t := time.NewTicker(storeAgainEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			d.tryUnstored()
		}
	}
}

func (d *Dispatcher) tryUnstored() {
	d.mu.Lock()
	list := d.unstored.again
	d.unstored.again = nil
	settled := len(list) == 0 && d.unstored.said
	if settled {
		d.unstored.said = false
	}
	d.mu.Unlock()
	if settled {
		d.log.Info("everything that could not be stored before is stored")
	}
	if _, leads := d.queue.Leader(); !leads {
		return // whoever leads now learns it from the workers
	}
	for _, again := range list {
		again()
	}
}

// giveBack returns leases to the queue and wakes whoever follows the tasks. What
// is known here of attempts that were lost goes with them. Do not hold d.mu.
func (d *Dispatcher) giveBack(rs []queue.Release) {
	for i := range rs {
		d.addKnown(&rs[i])
	}
	d.releaseLeases(rs, func() {})
}

// releaseLeases gives leases back, as often as it takes; stored is called once
// they are.
func (d *Dispatcher) releaseLeases(rs []queue.Release, stored func()) {
	if len(rs) == 0 {
		return
	}
	d.queue.Release(rs).Then(func(vs []queue.ReleaseReply, err error) {
		if err != nil {
			d.keepUnstored(func() { d.releaseLeases(rs, stored) }, err)
			return
		}
		d.noteReturned(rs, vs)
		stored()
		d.notify(rs)
		d.poke()
	})
}

// recordOutcomes stores results, as often as it takes, and acknowledges them.
func (d *Dispatcher) recordOutcomes(out *outbox, outcomes []queue.Outcome) {
	if len(outcomes) == 0 {
		return
	}
	d.queue.Record(outcomes).Then(func(vs []queue.RecordReply, err error) {
		if err != nil {
			d.keepUnstored(func() { d.recordOutcomes(out, outcomes) }, err)
			return
		}
		d.recorded(out, outcomes, vs)
	})
}

// addKnown adds to the return of a lost lease that it started, and what arrived
// of its output.
func (d *Dispatcher) addKnown(r *queue.Release) {
	if r.Why != queue.LeaseLost && r.Why != queue.Forgotten || r.Started != 0 {
		return
	}
	t, err := d.queue.Get(r.ID)
	if err != nil {
		return
	}
	last := t.Last()
	if last == nil || last.Fence != r.Fence {
		return
	}
	r.Started = last.Started
	l := wire.Lease{ID: r.ID, Fence: r.Fence}
	info, err := os.Stat(d.outputs.path(l))
	if err != nil || info.Size() == 0 {
		return
	}
	r.Output = task.Output{
		Length: info.Size(), Bytes: d.outputs.payload(l), Truncated: true,
		CutBy: "it went with " + nodeName(last.Node, d.names()),
	}
}
