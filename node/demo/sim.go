package demo

import (
	"container/heap"
	"fmt"
	"math"
	"math/bits"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// advance brings the simulation up to now. The lock is held.
func (f *Fleet) advance() {
	now := f.now().UnixMilli()
	before := f.lastPos
	for !f.stopped {
		next := int64(math.MaxInt64)
		if len(f.ends) > 0 {
			next = f.ends[0].at
		}
		arrival := f.arrive > 0 && int64(f.arrive) < next
		if arrival {
			next = int64(f.arrive)
		}
		beat := f.nextHB < next
		if beat {
			next = f.nextHB
		}
		if next > now {
			break
		}
		f.at = max(f.at, next)
		switch {
		case beat:
			f.heartbeat()
		case arrival:
			f.arriveOne()
		default:
			f.end(heap.Pop(&f.ends).(end))
		}
		f.fill()
	}
	f.at = max(f.at, now)
	if f.lastPos != before {
		f.wake()
	}
}

func (f *Fleet) wake() {
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *Fleet) arriveOne() {
	f.arrive += f.gap()
	f.add(rec{submitted: f.at, job: f.pickJob(), node: -1, started: -1, ended: -1, state: task.Queued})
}

func (f *Fleet) add(r rec) task.ID {
	f.recs = append(f.recs, r)
	id := task.ID(len(f.recs))
	f.counts[r.state]++
	f.ready = append(f.ready, uint32(id))
	f.taskEvent(id, 0, "submitted by ana@"+f.opt.Self)
	return id
}

// fill gives ready tasks to free slots, the emptiest node first.
func (f *Fleet) fill() {
	for f.head < len(f.ready) && f.promoted {
		id := f.ready[f.head]
		r := &f.recs[id-1]
		if r.state != task.Queued && r.state != task.Retry {
			f.head++
			continue
		}
		best := f.bestNode(f.needOf(task.ID(id)))
		if best < 0 {
			if _, own := f.own[task.ID(id)]; own && f.head+1 < len(f.ready) && f.bestNode(task.Need{}) >= 0 {
				f.head++ // it stays queued: no node fits; others may pass
				continue
			}
			break
		}
		f.head++
		f.start(id, best)
	}
	if f.head > 4096 && f.head > len(f.ready)/2 {
		f.ready = append([]uint32(nil), f.ready[f.head:]...)
		f.head = 0
	}
}

func (f *Fleet) bestNode(need task.Need) int {
	best, score := -1, -1.0
	for w, word := range f.free {
		for ; word != 0; word &= word - 1 {
			i := w*64 + bits.TrailingZeros64(word)
			n := f.nodes[i]
			if !n.takes() || len(verdict(n, need).Terms) > 0 {
				continue
			}
			if s := float64(int(n.slots)-n.used) / float64(n.slots); s > score {
				best, score = i, s
			}
		}
	}
	return best
}

// use takes slots of a node, or gives them back.
func (f *Fleet) use(n *node, slots int) {
	n.used += slots
	bit := uint64(1) << (n.i % 64)
	if n.used < int(n.slots) {
		f.free[n.i/64] |= bit
	} else {
		f.free[n.i/64] &^= bit
	}
}

func (f *Fleet) start(id uint32, to int) {
	r := &f.recs[id-1]
	from := r.state
	f.set(r, task.Running)
	r.node, r.started, r.ended = int16(to), int32(f.at-r.submitted), -1
	r.attempt++
	f.use(f.nodes[to], 1)
	dur := jobs[r.job].duration(f.rng)
	if sp := f.own[task.ID(id)]; sp != nil {
		dur = ownDuration(sp)
	}
	heap.Push(&f.ends, end{f.at + dur, id})
	f.taskEvent(task.ID(id), from, "started on "+f.nodes[to].name)
}

func (f *Fleet) set(r *rec, s task.State) {
	f.counts[r.state]--
	r.state = s
	f.counts[s]++
}

// end is the end of an attempt, or of a retry delay.
func (f *Fleet) end(e end) {
	r := &f.recs[e.id-1]
	id := task.ID(e.id)
	if r.state == task.Retry {
		f.ready = append(f.ready, e.id)
		return
	}
	if r.state != task.Running {
		return
	}
	if r.kill && r.ended < 0 || !r.kill {
		f.finish(id, r)
	}
}

func (f *Fleet) finish(id task.ID, r *rec) {
	from, n := r.state, f.nodes[r.node]
	f.use(n, -1)
	r.ended = int32(f.at - r.submitted)
	to, exit := jobs[r.job].outcome(f.rng)
	if sp := f.own[id]; sp != nil {
		to, exit = ownOutcome(sp)
	}
	if r.kill {
		to, exit = task.Cancelled, 143
	}
	r.exit = exit
	words := "done on " + n.name
	if to == task.Failed && f.retriesOf(id, r) >= int(r.attempt) {
		f.set(r, task.Retry)
		heap.Push(&f.ends, end{f.at + 8000, uint32(id)})
		f.taskEvent(id, from, fmt.Sprintf("exit %d on %s, retry %d/%d in 8s", exit, n.name, r.attempt, f.retriesOf(id, r)))
		n.failed++
		return
	}
	f.set(r, to)
	f.finished[f.at/1000%10]++
	if to == task.Done {
		n.done++
	} else {
		n.failed++
		words = ending(to, exit) + " on " + n.name
	}
	f.taskEvent(id, from, words)
}

func ending(s task.State, exit int16) string {
	switch s {
	case task.Failed:
		return fmt.Sprintf("failed exit %d", exit)
	case task.Timeout:
		return "timed out after 1m00s"
	case task.Cancelled:
		return "cancelled"
	case task.Lost:
		return "lost: the node restarted"
	}
	return s.String()
}

func (f *Fleet) retriesOf(id task.ID, r *rec) int {
	if sp := f.own[id]; sp != nil {
		return int(sp.Retries)
	}
	return jobs[r.job].retries
}

// heartbeat is once a second: old rates go, and the story of the one bad
// node goes on.
func (f *Fleet) heartbeat() {
	f.nextHB += 1000
	f.finished[(f.at/1000+1)%10] = 0
	age := (f.at - f.born) / 1000
	for _, n := range f.nodes {
		if n.bad {
			f.badNode(n, age%120)
		}
		if n.state == control.NodeDraining && n.used == 0 {
			n.state = control.NodeDrained
			f.nodeEvent(n, n.name+" is drained")
		}
	}
}

// lostAtSec is when the bad node is lost, of every two minutes.
const lostAtSec = 45

// badNode: stale, then lost, then back for a minute.
func (f *Fleet) badNode(n *node, sec int64) {
	switch sec {
	case lostAtSec:
		n.state = control.NodeLost
		f.nodeEvent(n, n.name+" is lost: no heartbeat for 76 s")
	case 60:
		n.state = control.NodeUp
		f.nodeEvent(n, n.name+" is back")
	case 110:
		n.state = control.NodeStale
		f.nodeEvent(n, n.name+" missed 3 heartbeats, marked stale")
	}
	if n.state == control.NodeUp {
		n.seen = f.at
	}
}
