package dispatch

import (
	"time"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// results takes outcomes in. The worker's room is free at once; the
// acknowledgement goes out when the record is durable. Results of leases that
// the worker does not hold are judged by the queue, which knows the fence.
func (d *Dispatcher) results(w *worker, out *outbox, items []wire.Result) {
	now := time.Now()
	nowMs := now.UnixMilli()
	for i := range items {
		d.outputs.judge(items[i].Lease, &items[i].Output)
	}
	outcomes := make([]queue.Outcome, 0, len(items))
	var back []queue.Release
	var gone, strange []wire.Acked
	d.mu.Lock()
	for i := range items {
		r := &items[i]
		held := w.remove(r.Lease)
		if held {
			d.note(task.EvRelease, w, r.Lease)
		}
		if r.Exit.Reason == task.ReasonNodeLost && !held {
			strange = append(strange, wire.Acked{Lease: r.Lease, Verdict: wire.Fenced})
			continue
		}
		if r.Exit.Reason == task.ReasonNodeLost {
			back = append(back, lostRelease(r, nowMs))
			if r.Output.CutBy != "" {
				w.cool = now.Add(2 * d.opt.Beat) // until it has said how full its disk is
				time.AfterFunc(2*d.opt.Beat, d.poke)
			}
			gone = append(gone, wire.Acked{Lease: r.Lease, Verdict: wire.Recorded})
			continue
		}
		w.count(r.Exit)
		outcomes = append(outcomes, outcomeOf(w.id, r, nowMs))
	}
	w.flow.ended(len(items), now)
	d.rate.add(len(outcomes), now)
	d.mu.Unlock()
	d.poke()
	if len(strange) > 0 {
		out.ack(strange)
	}
	d.releaseLeases(back, func() { out.ack(gone) })
	d.recordOutcomes(out, outcomes)
}

func (w *worker) count(x task.Exit) {
	w.done++
	if x.Reason != task.ReasonExit || x.Code != 0 {
		w.failed++
	}
}

// outcomeOf turns a worker's durations into times of this clock.
func outcomeOf(n task.NodeID, r *wire.Result, nowMs int64) queue.Outcome {
	ended := nowMs - max(0, r.EndAgo)
	started := ended - max(0, r.RanUs)/1000
	return queue.Outcome{
		ID: r.ID, Fence: r.Fence, Node: n, Exit: r.Exit, Started: started, Ended: ended,
		Usage: r.Usage, Enforced: r.Enforced, Output: r.Output,
	}
}

// lostRelease gives back a lease whose attempt the worker says is lost, with what
// is known of it.
func lostRelease(r *wire.Result, nowMs int64) queue.Release {
	started := int64(0)
	if r.RanUs > 0 {
		started = nowMs - max(0, r.EndAgo) - r.RanUs/1000
	}
	return queue.Release{ID: r.ID, Fence: r.Fence, Why: queue.Forgotten, Message: r.Exit.Message, Started: started, Output: r.Output}
}

func (d *Dispatcher) recorded(out *outbox, outcomes []queue.Outcome, vs []queue.RecordReply) {
	acks := make([]wire.Acked, len(vs))
	retry := false
	d.mu.Lock()
	for i, v := range vs {
		o := &outcomes[i]
		acks[i] = wire.Acked{Lease: wire.Lease{ID: o.ID, Fence: o.Fence}, Verdict: verdictOf(v.Verdict)}
		retry = retry || !v.State.Terminal()
		if v.Verdict == queue.Recorded {
			d.noteEnd(o.ID, o.Fence, v.State)
		}
		d.notifyLocked(o.ID)
	}
	d.mu.Unlock()
	out.ack(acks)
	d.auditRefused(outcomes, acks)
	if retry {
		d.poke()
	}
}

// auditRefused writes one line when results were refused because the node that
// sent them does not hold the lease, or no longer.
func (d *Dispatcher) auditRefused(outcomes []queue.Outcome, acks []wire.Acked) {
	refused := 0
	var first *queue.Outcome
	for i := range acks {
		if acks[i].Verdict == wire.Fenced || acks[i].Verdict == wire.Unknown {
			if refused++; first == nil {
				first = &outcomes[i]
			}
		}
	}
	if first != nil {
		d.log.Warn("audit: results refused: the node does not hold the lease", "id", string(first.Node), "task", first.ID, "fence", first.Fence, "count", refused)
	}
}

func verdictOf(v queue.RecordVerdict) wire.Verdict {
	switch v {
	case queue.Recorded:
		return wire.Recorded
	case queue.AlreadyRecorded:
		return wire.AlreadyRecorded
	case queue.Fenced:
		return wire.Fenced
	}
	return wire.Unknown
}

func (d *Dispatcher) notify(rs []queue.Release) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range rs {
		d.notifyLocked(r.ID)
	}
}

// meter counts what ends per second over the last ten seconds.
type meter struct {
	buckets [10]int
	second  int64
}

func (m *meter) add(n int, now time.Time) {
	m.advance(now.Unix())
	m.buckets[m.second%10] += n
}

func (m *meter) advance(s int64) {
	if s-m.second >= 10 {
		m.buckets = [10]int{}
		m.second = s
	}
	for m.second < s {
		m.second++
		m.buckets[m.second%10] = 0
	}
}

// perSecond leaves the running second out, which is not full yet.
func (m *meter) perSecond(now time.Time) float64 {
	m.advance(now.Unix())
	sum := 0
	for i, n := range m.buckets {
		if int64(i) != m.second%10 {
			sum += n
		}
	}
	return float64(sum) / 9
}
