package dispatch

import (
	"context"
	"fmt"
	"time"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/sched"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Peer is the authenticated node at the other end of a stream.
type Peer struct {
	ID   task.NodeID
	Addr string
	RTT  func() time.Duration
}

// goodbyeTime is how long a worker may take to close its side after ours.
const goodbyeTime = time.Second

// Goodbye ends the connections to all workers in good order: what waits to be
// sent is sent. Their leases stand.
func (d *Dispatcher) Goodbye() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ending = true
	for _, w := range d.workers {
		if w.out != nil {
			w.out.close()
		}
	}
}

// maxHolds bounds what a worker may say that it holds.
const maxHolds = 100_000

// ServeWork speaks with a worker over its work stream until the stream ends.
// The leases outlive the stream.
func (d *Dispatcher) ServeWork(ctx context.Context, p Peer, s wire.Stream) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { s.Cancel(wire.CodeShutdown) })
	defer stop()
	_ = s.SetReadDeadline(time.Now().Add(10 * time.Second))
	reg, err := receiveRegister(s)
	if err != nil {
		return err
	}
	_ = s.SetReadDeadline(time.Time{})
	w, out, acc, err := d.register(p, reg, cancel)
	if err != nil {
		_ = s.Send(wire.FaultOf(err))
		_ = s.CloseWrite()
		return err
	}
	defer d.gone(w, out)
	if err := s.Send(acc); err != nil {
		return err
	}
	d.poke()
	sent := make(chan error, 1)
	go func() {
		err := out.send(ctx, s, acc.Term)
		if err == nil {
			_ = s.CloseWrite()
			_ = s.SetReadDeadline(time.Now().Add(goodbyeTime))
		} else {
			cancel()
		}
		sent <- err
	}()
	err = d.receive(ctx, w, out, p, s)
	cancel()
	if serr := <-sent; err == nil || serr == nil && out.over() {
		err = serr
	}
	return err
}

func receiveRegister(s wire.Stream) (wire.Register, error) {
	var all []wire.Held
	for {
		reg, err := wire.Recv1[wire.Register](s)
		if err != nil {
			return reg, fmt.Errorf("wait for the worker to register: %w", err)
		}
		if all = append(all, reg.Holds...); len(all) > maxHolds {
			return reg, task.Errorf(task.KindTooLarge, "the worker says that it holds more than %d attempts", maxHolds)
		}
		if !reg.More {
			reg.Holds = all
			return reg, nil
		}
	}
}

// How often the log says that the same worker was turned away, and of how many
// that is remembered.
const (
	awayEvery = time.Minute
	maxAway   = 1024
)

// tellAwayLocked reports whether the log is to say that a worker was turned away:
// it comes again and again.
func (d *Dispatcher) tellAwayLocked(id task.NodeID, now time.Time) bool {
	if last, known := d.turnedAway[id]; known && now.Sub(last) < awayEvery {
		return false
	}
	if d.turnedAway == nil || len(d.turnedAway) >= maxAway {
		d.turnedAway = make(map[task.NodeID]time.Time)
	}
	d.turnedAway[id] = now
	return true
}

// register enters a worker's connection and settles what it holds.
func (d *Dispatcher) register(p Peer, reg wire.Register, end func()) (*worker, *outbox, wire.Accepted, error) {
	term, leads := d.queue.Leader()
	if !leads {
		return nil, nil, wire.Accepted{}, task.Errorf(task.KindNoDispatcher, "this node does not dispatch any more")
	}
	d.mu.Lock()
	if d.ending {
		d.mu.Unlock()
		return nil, nil, wire.Accepted{}, task.Errorf(task.KindUnavailable, "this dispatcher is stopping")
	}
	w := d.workers[p.ID]
	if (w == nil || w.out == nil) && p.ID != d.opt.Node && d.opt.MaxWorkers > 0 && d.connectedLocked() >= d.opt.MaxWorkers {
		tell := d.tellAwayLocked(p.ID, time.Now())
		d.mu.Unlock()
		if tell {
			d.log.Warn("worker refused: the limit is reached", "node", reg.Name, "id", p.ID.Short(), "limit", d.opt.MaxWorkers)
		}
		return nil, nil, wire.Accepted{}, task.Errorf(task.KindFull, "this dispatcher takes %d workers and has as many", d.opt.MaxWorkers).
			WithHint("start the dispatcher with a larger --max-workers, or stop a worker")
	}
	w = d.workerLocked(p.ID)
	now := time.Now()
	restarted := w.boot != reg.Boot
	out := newOutbox()
	out.end = end
	w.boot, w.addr, w.version = reg.Boot, p.Addr, reg.Version
	reg.Capacity.Bound()
	w.cap, w.leaving, w.warnings = reg.Capacity, reg.Draining, task.BoundWarnings(reg.Warnings)
	w.seal = reg.Seal
	w.heard, w.seen, w.state, w.out = now, now.UnixMilli(), sched.Up, out
	w.flow = flow{}
	if p.RTT != nil {
		w.rtt = p.RTT()
	}
	if w.name == p.ID.Short() && reg.Name != "" {
		w.name = reg.Name
	}
	s := settle(w.leases, reg.Holds, restarted)
	for _, r := range s.back {
		l := wire.Lease{ID: r.ID, Fence: r.Fence}
		d.note(task.EvRequeue, w, l)
		w.remove(l)
	}
	d.noteCapacity(w)
	d.mu.Unlock()
	d.markRunning(s.running)
	d.giveBack(s.back)
	if len(s.stop) > 0 {
		out.stop(s.stop)
	}
	d.log.Info("worker ready", "node", w.name, "slots", reg.Capacity.Slots, "holds", len(reg.Holds), "given back", len(s.back))
	d.feed.node(w.name, "is up")
	return w, out, wire.Accepted{
		Term: term, Name: w.name, Drop: s.drop, Chain: d.renew(p.ID, reg.Renew),
		BeatMs: d.opt.Beat.Milliseconds(), LeaseMs: d.opt.Lease.Milliseconds(),
	}, nil
}

// renew gives a worker a new certificate if it asks. Without one it keeps the
// old one and asks again.
func (d *Dispatcher) renew(id task.NodeID, key []byte) [][]byte {
	if len(key) == 0 || d.opt.Renew == nil {
		return nil
	}
	chain, err := d.opt.Renew(id, key)
	if err != nil {
		d.log.Warn("a membership could not be renewed", "id", string(id), "error", err)
	}
	return chain
}

// settled is what follows from what a worker says that it holds.
type settled struct {
	back    []queue.Release // leases that it does not hold
	running []queue.Started // leases that it has started
	drop    []wire.Lease    // attempts that nobody waits for
	stop    []wire.StopItem // leases that were cancelled while it was away
}

// settle compares the leases of the queue with what the worker holds. A worker
// of the same run that does not hold a lease has never had it; one that was
// restarted may have begun it.
func settle(leases map[task.ID]lease, holds []wire.Held, restarted bool) settled {
	var s settled
	now := time.Now().UnixMilli()
	held := make(map[wire.Lease]bool, len(holds))
	for _, h := range holds {
		held[h.Lease] = true
		l, ours := leases[h.ID]
		switch {
		case h.Ended:
			// Its result comes and is judged by its fence.
		case !ours || l.Fence != h.Fence:
			s.drop = append(s.drop, h.Lease)
		case h.Started > 0:
			s.running = append(s.running, queue.Started{ID: h.ID, Fence: h.Fence, At: now - h.Started})
		}
	}
	for _, l := range leases {
		if held[l.Lease] {
			if l.cancelling {
				s.stop = append(s.stop, wire.StopItem{Lease: l.Lease})
			}
			continue
		}
		r := queue.Release{ID: l.ID, Fence: l.Fence, Why: queue.NeverStarted}
		if restarted {
			r.Why, r.Message = queue.Forgotten, "the worker was restarted and does not know it any more"
		}
		s.back = append(s.back, r)
	}
	return s
}

// connectedLocked is how many workers are connected beside this node's own.
func (d *Dispatcher) connectedLocked() int {
	n := 0
	for id, w := range d.workers {
		if w.out != nil && id != d.opt.Node {
			n++
		}
	}
	return n
}

// gone notes that a connection ended. The leases stand until they run out.
func (d *Dispatcher) gone(w *worker, out *outbox) {
	d.mu.Lock()
	if w.out != out {
		d.mu.Unlock()
		return
	}
	w.out = nil
	away := w.leaving && len(w.leases) == 0
	if away {
		w.state = sched.Away
	}
	name := w.name
	d.mu.Unlock()
	d.log.Info("worker disconnected", "node", name, "left in good order", away)
	if away {
		d.feed.node(name, "left")
	}
}

// receive takes what a worker sends until its stream ends.
func (d *Dispatcher) receive(ctx context.Context, w *worker, out *outbox, p Peer, s wire.Stream) error {
	for {
		f, err := s.Recv()
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := d.take(w, out, p, f); err != nil {
			_ = s.Send(wire.FaultOf(err))
			return err
		}
	}
}

func (d *Dispatcher) take(w *worker, out *outbox, p Peer, f wire.Frame) error {
	switch f.Kind {
	case wire.KindResults:
		var m wire.Results
		if err := wire.Decode(f, &m); err != nil {
			return err
		}
		d.results(w, out, m.Items)
	case wire.KindBeat:
		var m wire.Beat
		if err := wire.Decode(f, &m); err != nil {
			return err
		}
		d.beat(w, out, p, m)
	case wire.KindStarted:
		var m wire.Started
		if err := wire.Decode(f, &m); err != nil {
			return err
		}
		d.startedHere(w, m.Items)
	case wire.KindDeclined:
		var m wire.Declined
		if err := wire.Decode(f, &m); err != nil {
			return err
		}
		d.declined(w, m.Items)
	case wire.KindRelease:
		var m wire.Release
		if err := wire.Decode(f, &m); err != nil {
			return err
		}
		d.mu.Lock()
		w.leaving = m.On
		d.mu.Unlock()
		d.poke()
	default:
		return task.Errorf(task.KindUsage, "a worker does not send %s", f.Kind)
	}
	return nil
}

func (d *Dispatcher) beat(w *worker, out *outbox, p Peer, m wire.Beat) {
	term, leads := d.queue.Leader()
	if !leads {
		return // unanswered: the worker's leases run out unless somebody else renews them
	}
	d.mu.Lock()
	if w.out != out {
		d.mu.Unlock()
		return
	}
	now := time.Now()
	w.heard, w.seen, w.load = now, now.UnixMilli(), m.Load
	w.noteUse(m.Use)
	if p.RTT != nil {
		w.rtt = p.RTT()
	}
	w.skew.note(m.Now, now, w.rtt)
	back := w.state == sched.Stale || w.state == sched.Lost
	if back {
		w.state = sched.Up
	}
	d.mu.Unlock()
	out.beat(wire.BeatAck{Seq: m.Seq, Term: term})
	d.feed.load(w.name)
	if back {
		d.poke()
	}
}

func (d *Dispatcher) startedHere(w *worker, items []wire.Held) {
	now := time.Now().UnixMilli()
	var st []queue.Started
	d.mu.Lock()
	for _, h := range items {
		if l, ok := w.leases[h.ID]; ok && l.Fence == h.Fence {
			st = append(st, queue.Started{ID: h.ID, Fence: h.Fence, At: now - h.Started})
		}
	}
	d.mu.Unlock()
	d.markRunning(st)
}

func (d *Dispatcher) markRunning(st []queue.Started) {
	if len(st) == 0 {
		return
	}
	d.queue.MarkRunning(st)
	d.mu.Lock()
	for _, s := range st {
		d.notifyLocked(s.ID)
	}
	d.mu.Unlock()
}

// coolTime is how long a worker gets nothing after it could not start something,
// so that the two do not pass a task to and fro.
const coolTime = time.Second

// declined takes back what a worker has not started. A worker can only give
// back what it holds.
func (d *Dispatcher) declined(w *worker, items []wire.Decline) {
	var back []queue.Release
	d.mu.Lock()
	if !w.leaving {
		w.cool = time.Now().Add(coolTime)
		time.AfterFunc(coolTime, d.poke)
	}
	for _, it := range items {
		if w.remove(it.Lease) {
			back = append(back, queue.Release{ID: it.ID, Fence: it.Fence, Why: queue.Declined, Message: it.Why})
			d.note(task.EvRequeue, w, it.Lease)
			d.log.Info("task given back", "task", it.ID, "node", w.name, "why", it.Why)
		}
	}
	d.mu.Unlock()
	d.giveBack(back)
}
