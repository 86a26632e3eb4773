// Package demo is a simulated fleet behind the usual control.Control: nodes
// with load, a queue, tasks that run, fail, are retried and write output.
// Nothing is executed and no socket is opened. The same seed and the same
// times give the same fleet, so pictures and tests made from it repeat.
//
// There is no goroutine in it: each call first brings the simulation up to
// the time of the call.
package demo

import (
	"container/heap"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// Options says what to simulate. The zero value is 8 nodes and 10,000 tasks.
type Options struct {
	Nodes int
	Tasks int // already in the queue or finished at the start
	Seed  uint64
	Fresh bool             // a computer alone that has no cluster yet; Tasks is ignored
	Self  string           // this node's name; empty is "mill-01"
	Now   func() time.Time // nil is time.Now
}

// Fleet is the simulation. It is safe for use by several goroutines.
type Fleet struct {
	opt Options
	now func() time.Time

	mu     sync.Mutex
	rng    *rand.Rand
	at     int64 // simulated up to, Unix ms
	born   int64
	nodes  []*node
	byName map[string]*node
	free   []uint64 // a bit for each node with a free slot
	recs   []rec    // by id-1
	own    map[task.ID]*task.Spec
	why    map[task.ID]string // whose cancel it was
	counts [10]int
	ready  []uint32
	head   int // of ready
	ends   endHeap
	arrive float64 // when the next task comes, Unix ms
	rate   float64 // tasks that come per second
	nextHB int64

	finished [10]int // per second, ring by second
	ring     []control.Event
	lastPos  uint64
	changed  chan struct{} // closed at the next change
	promoted bool
	since    int64
	stopped  bool
	invites  int
}

var _ control.Control = (*Fleet)(nil)

// New makes a fleet. It starts nothing.
func New(o Options) *Fleet {
	if o.Nodes <= 0 {
		o.Nodes = 8
	}
	if o.Tasks < 0 {
		o.Tasks = 0
	} else if o.Tasks == 0 && !o.Fresh {
		o.Tasks = 10_000
	}
	if o.Fresh {
		o.Nodes, o.Tasks = 1, 0
	}
	if o.Self == "" {
		o.Self = "mill-01"
	}
	f := &Fleet{
		opt: o, now: o.Now, rng: rand.New(rand.NewPCG(o.Seed, 0x0c7a5c1e)), own: map[task.ID]*task.Spec{},
		why: map[task.ID]string{}, changed: make(chan struct{}), promoted: !o.Fresh,
	}
	if f.now == nil {
		f.now = time.Now
	}
	f.born = f.now().UnixMilli()
	f.at, f.nextHB = f.born, f.born+1000
	f.since = f.born - 4*3600_000
	f.makeNodes()
	f.makeHistory()
	return f
}

// rec is one task in little room; a million of them must fit.
type rec struct {
	submitted int64
	started   int32 // ms after submitted; -1 not yet
	ended     int32 // ms after submitted; -1 not yet
	exit      int16
	node      int16 // -1 none
	state     task.State
	job       uint8
	attempt   uint8
	kill      bool // cancel was accepted
}

// end is something that will happen to a task.
type end struct {
	at int64
	id uint32
}

type endHeap []end //nolint:recvcheck // heap.Interface wants both

func (h endHeap) Len() int { return len(h) }
func (h endHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].id < h[j].id
}
func (h endHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push is for container/heap.
func (h *endHeap) Push(x any) { *h = append(*h, x.(end)) }

// Pop is for container/heap.
func (h *endHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

func (f *Fleet) slots() (all, used int) {
	for _, n := range f.nodes {
		if n.takes() || n.state == control.NodeStale {
			all += int(n.slots)
			used += n.used
		}
	}
	return all, used
}

// makeHistory fills the queue as if the fleet had worked for a while.
func (f *Fleet) makeHistory() {
	all, _ := f.slots()
	f.rate = float64(all) / 12.5
	f.arrive = float64(f.at) + f.gap()
	if f.opt.Tasks == 0 {
		f.arrive = 0
		return
	}
	total := f.opt.Tasks
	waiting := min(total/9, all+10)
	if total >= 100_000 {
		waiting = total / 2
	}
	f.recs = make([]rec, total, total+total/8+1024)
	past := total - waiting
	step := 1000 / f.rate
	for i := range f.recs {
		r := &f.recs[i]
		r.job = f.pickJob()
		r.node, r.started, r.ended, r.state = -1, -1, -1, task.Queued
		if i < past {
			r.submitted = f.at - int64(float64(past-i)*step) - 12_000
			f.finishInThePast(r, uint32(i+1))
		} else {
			r.submitted = f.at - int64(float64(total-i)*step)
			f.ready = append(f.ready, uint32(i+1))
		}
		f.counts[r.state]++
	}
	f.fill()
	// Those that run have been running for a while.
	for i := range f.ends {
		r := &f.recs[f.ends[i].id-1]
		left := f.ends[i].at - f.at
		back := int64(f.rng.Float64() * 0.9 * float64(left))
		f.ends[i].at -= back
		r.submitted = min(r.submitted, f.at-back-2000)
		r.started = int32(f.at - back - r.submitted)
	}
	heap.Init(&f.ends)
	f.ring, f.lastPos = nil, 0
	f.makePastEvents()
}

func (f *Fleet) finishInThePast(r *rec, id uint32) {
	j := &jobs[r.job]
	wait := int32(f.rng.IntN(4000))
	dur := int32(j.duration(f.rng))
	r.started, r.ended = wait, wait+dur
	if r.submitted+int64(r.ended) > f.at {
		r.ended = int32(f.at - r.submitted)
		r.started = min(r.started, r.ended)
	}
	r.node = int16(f.someWorker())
	r.state, r.exit = j.outcome(f.rng)
	r.attempt = 1
	if n := f.nodes[r.node]; r.state == task.Done {
		n.done++
	} else {
		n.failed++
	}
	if r.state == task.Cancelled {
		f.why[task.ID(id)] = "ana"
	}
}

func (f *Fleet) someWorker() int {
	for try := 0; try < 50; try++ {
		i := f.rng.IntN(len(f.nodes))
		if f.nodes[i].slots > 0 && f.nodes[i].member() {
			return i
		}
	}
	return 0
}

// gap is the time to the next arrival in ms.
func (f *Fleet) gap() float64 {
	if f.rate <= 0 {
		return 1e12
	}
	return f.rng.ExpFloat64() * 1000 / f.rate
}
