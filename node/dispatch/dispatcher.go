// Package dispatch is the dispatcher role of a node: it takes tasks in, decides
// with queue/sched who runs them, leases them to workers, records what became
// of them, and answers what faces ask (control.Control).
//
// The queue is the truth. What is kept here, the picture of the workers and
// the leases as they were sent, is made anew from the queue and from what
// workers say when they register. A lease that the queue knows stands until
// its worker gives it back, reports an outcome, or is silent for a whole lease.
package dispatch

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/seal"
	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/sched"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Options configure a Dispatcher. Zero fields have the defaults named.
type Options struct {
	Queue       *queue.Queue
	Node        task.NodeID
	Name        string
	Cluster     string
	Version     string
	Dir         string        // for output/
	TaskTimeout time.Duration // for tasks that name none; 0 is none
	MaxWorkers  int           // connected at once; 0 is no limit
	Beat        time.Duration // heartbeat; 1 s
	Lease       time.Duration // 5 heartbeats
	OutputQuota int64         // bytes of output kept on this node, the oldest make room; 10 GiB
	// Renew issues a new certificate for a member that shows its key; nil never.
	Renew    func(id task.NodeID, key []byte) (chain [][]byte, err error)
	Seal     *seal.Key // opens the secrets of tasks; nil takes none
	Problems func() []control.Problem
	Identity func() control.Identity
	Seen     func() []control.Node // nodes that are no members, from discovery
	// Stuck is called once, from a goroutine of its own, when the loop of Run
	// has not come round for StuckAfter; nil does nothing. Every lock may be
	// held by then: it can only note what it finds and end the process.
	Stuck   func()
	Logger  *slog.Logger
	History task.Recorder // for tests; nil records nothing
}

// staleAfter is the number of missed heartbeats after which a worker is shown
// as stale and gets nothing new.
const staleAfter = 3

// Dispatcher is the role. It is made when a node begins to dispatch and ends
// with that.
type Dispatcher struct {
	opt     Options
	log     *slog.Logger
	queue   *queue.Queue
	outputs *outputStore
	feed    feed
	started time.Time

	// mu is taken before the locks of outboxes, of feed, of outputs and of the
	// queue's state, never after one of them. Nobody who holds it proposes a
	// change (Grant, Record, Return and the like) or waits for one: both may
	// take as long as the disk does, and what settles a change takes mu.
	mu         sync.Mutex
	workers    map[task.NodeID]*worker
	turnedAway map[task.NodeID]time.Time   // workers beyond the limit, and when the log said so
	passed     map[queue.ClassID]time.Time // when a class was last served or first seen
	planner    sched.Planner
	views      []sched.Worker // memory of the plan
	byView     []*worker
	classes    []sched.Class
	follows    map[task.ID]map[*follower]struct{}
	rate       meter
	ending     bool     // no worker may register any more
	unstored   unstored // changes that could not be stored and are tried again

	turns   atomic.Uint64  // how often Run's loop has come round
	kick    chan struct{}  // something changed that may let a task start
	probe   chan struct{}  // asks Run whether it goes on
	changes *queue.Watcher // for History
}

// New makes a dispatcher for a queue whose log is led by this node. It starts
// nothing. Leases that the queue holds get a whole lease of grace from now.
func New(opt Options) (*Dispatcher, error) {
	if opt.Beat == 0 {
		opt.Beat = time.Second
	}
	if opt.Lease == 0 {
		opt.Lease = 5 * opt.Beat
	}
	if opt.OutputQuota == 0 {
		opt.OutputQuota = 10 << 30
	}
	if opt.Logger == nil {
		opt.Logger = slog.Default()
	}
	out, err := openOutputs(opt.Dir, opt.OutputQuota, opt.Logger)
	if err != nil {
		return nil, err
	}
	d := &Dispatcher{
		opt: opt, log: opt.Logger, queue: opt.Queue, outputs: out, started: time.Now(),
		workers: make(map[task.NodeID]*worker),
		passed:  make(map[queue.ClassID]time.Time),
		follows: make(map[task.ID]map[*follower]struct{}),
		kick:    make(chan struct{}, 1),
		probe:   make(chan struct{}),
	}
	out.mayKeep, out.unfinished = opt.Queue.MayKeepOutput, d.unfinished
	d.feed.init(opt.Queue.Stamp)
	for _, l := range opt.Queue.Held("") {
		w := d.workerLocked(l.Node)
		w.add(lease{Lease: wire.Lease{ID: l.ID, Fence: l.Fence}, need: l.Need, once: l.Delivery == task.AtMostOnce, cancelling: l.Cancelling})
	}
	if term, leads := opt.Queue.Leader(); leads {
		task.Note(opt.History, task.Event{Kind: task.EvPromote, Term: term})
	}
	if opt.History != nil {
		d.changes = opt.Queue.Watch(0)
	}
	return d, nil
}

// Run dispatches until ctx ends. It returns when its goroutines have.
func (d *Dispatcher) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { d.watchLeases(ctx) })
	wg.Go(func() { d.watchLoop(ctx) })
	if d.changes != nil {
		wg.Go(func() { d.noteChanges(ctx, d.changes) })
	}
	wg.Go(func() { d.collectOutputs(ctx) })
	wg.Go(func() { d.storeAgain(ctx) })
	defer wg.Wait()
	defer d.feed.close()
	for {
		d.plan()
		d.turns.Add(1)
		select {
		case <-ctx.Done():
			return nil
		case <-d.queue.Ready():
		case <-d.kick:
		case <-d.probe:
		}
	}
}

// Alive returns when Run has come round, or with ctx's error.
func (d *Dispatcher) Alive(ctx context.Context) error {
	select {
	case d.probe <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *Dispatcher) poke() {
	select {
	case d.kick <- struct{}{}:
	default:
	}
}

// watchLeases notices workers that have fallen silent.
func (d *Dispatcher) watchLeases(ctx context.Context) {
	t := time.NewTicker(d.opt.Beat / 4)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			d.expire(time.Now())
		}
	}
}

// expire marks silent workers stale and takes back the leases of those that
// were silent for a whole lease.
func (d *Dispatcher) expire(now time.Time) {
	d.mu.Lock()
	var lost []queue.Release
	stepped := false
	for _, w := range d.workers {
		silent := now.Sub(w.heard)
		was := w.state
		w.state = stateAfter(w.state, w.out != nil, silent, d.opt.Beat, d.opt.Lease)
		if w.state == was {
			continue
		}
		stepped = true
		d.log.Info("worker "+w.state.String(), "node", w.name, "silent", silent.Round(time.Millisecond))
		d.feed.node(w.name, "is "+w.state.String())
		if w.state == sched.Lost {
			for _, l := range w.leases {
				d.note(task.EvExpire, w, l.Lease)
				lost = append(lost, queue.Release{ID: l.ID, Fence: l.Fence, Why: queue.LeaseLost, Message: w.name + " was silent for longer than its lease"})
			}
			w.clear()
			// What is still on its way there must not be obeyed any more.
			if w.out != nil {
				w.out.end()
			}
		}
	}
	d.mu.Unlock()
	d.giveBack(lost)
	if stepped {
		d.poke()
	}
}

// lostAfter is how long a worker may be silent. The dispatcher waits a little
// longer than the lease, since it counts from when a heartbeat arrived and clocks
// may differ by one in a hundred.
func lostAfter(beat, lease time.Duration) time.Duration { return lease + lease/100 + 2*beat }

// stateAfter is the state of a worker that has been silent for a time.
func stateAfter(s sched.State, connected bool, silent, beat, lease time.Duration) sched.State {
	switch {
	case s == sched.Lost && !connected, s == sched.Away:
		return s
	case silent > lostAfter(beat, lease):
		return sched.Lost
	case silent > staleAfter*beat:
		return sched.Stale
	case s == sched.Stale && connected:
		return sched.Up
	}
	return s
}
