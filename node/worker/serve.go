package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/adauldev/octaskly/quicnet/wire"
)

// conn is one connection to a dispatcher that has accepted us.
type conn struct {
	ctx     context.Context
	link    Link
	stream  wire.Stream
	streams sync.WaitGroup // output streams

	beat  time.Duration
	sent  map[uint64]time.Duration // by Clock: when each unanswered beat was sent
	mu    sync.Mutex
	close context.CancelFunc
}

// registerTimeout is how long a dispatcher may take to answer Register.
const registerTimeout = 10 * time.Second

// goodbyeTime is how long a dispatcher may take to close its side after ours.
const goodbyeTime = time.Second

// ErrLeft says that the worker has left and takes no connection any more.
var ErrLeft = errors.New("the worker has left")

// Serve works for the dispatcher at the other end of a link until the link
// breaks, ctx ends or the dispatcher refuses. Only one Serve runs at a time;
// frames of an earlier link are no longer looked at once it has begun.
func (w *Worker) Serve(ctx context.Context, link Link) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := link.Open(ctx, wire.StreamWork)
	if err != nil {
		return fmt.Errorf("open the work stream: %w", err)
	}
	defer s.Close()
	stop := context.AfterFunc(ctx, func() { s.Cancel(wire.CodeShutdown) })
	defer stop()
	c := &conn{ctx: ctx, link: link, stream: s, sent: make(map[uint64]time.Duration), close: cancel}
	if err := w.register(c); err != nil {
		return err
	}
	defer func() {
		w.mu.Lock()
		if w.conn == c {
			w.conn = nil
			w.changedLocked()
		}
		w.mu.Unlock()
		cancel()
		c.streams.Wait()
	}()
	read := make(chan error, 1)
	go func() { read <- w.receive(c) }()
	if err = w.send(c); errors.Is(err, ErrLeft) {
		_ = s.CloseWrite()
		_ = s.SetReadDeadline(time.Now().Add(goodbyeTime))
		<-c.ctx.Done() // the dispatcher has closed its side, or takes too long
	}
	cancel()
	s.Cancel(wire.CodeShutdown)
	if rerr := <-read; !errors.Is(err, ErrLeft) {
		err = rerr
	}
	return err
}

// register tells the dispatcher who we are and what we hold, and begins the
// new connection. From Register to Accepted no attempt may end unseen: what
// ends meanwhile is reported afterwards like everything else.
func (w *Worker) register(c *conn) error {
	w.mu.Lock()
	if w.left {
		w.mu.Unlock()
		return ErrLeft
	}
	if old := w.conn; old != nil {
		old.close()
		w.conn = nil
	}
	reg := wire.Register{
		Boot: w.opt.Boot, Name: w.opt.Name, Label: w.opt.Label, Capacity: w.capacityLocked(),
		Draining: w.draining, Warnings: w.warningsLocked(), Term: w.term, Version: w.opt.Version,
		Seal: w.seal.Public(),
	}
	now := time.Now()
	var holds []wire.Held
	for _, a := range w.attempts {
		if a.drop {
			continue
		}
		h := wire.Held{Lease: a.Lease, Ended: a.state == ended}
		if a.state != waiting {
			h.Started = max(1, now.Sub(a.started).Milliseconds())
			a.told = true
		}
		holds = append(holds, h)
	}
	sent := w.opt.Clock()
	w.mu.Unlock()
	if w.opt.Renew != nil {
		reg.Renew = w.opt.Renew()
	}
	_ = c.stream.SetReadDeadline(now.Add(registerTimeout))
	for {
		n := min(len(holds), wire.MaxItems)
		reg.Holds, holds = holds[:n], holds[n:]
		reg.More = len(holds) > 0
		if err := c.stream.Send(reg); err != nil {
			return fmt.Errorf("register with the dispatcher: %w", err)
		}
		if !reg.More {
			break
		}
	}
	acc, err := wire.Recv1[wire.Accepted](c.stream)
	if err != nil {
		return fmt.Errorf("register with the dispatcher: %w", err)
	}
	_ = c.stream.SetReadDeadline(time.Time{})
	if len(acc.Chain) > 0 && w.opt.Renewed != nil {
		w.opt.Renewed(acc.Chain)
	}
	return w.accepted(c, acc, sent)
}

func (w *Worker) accepted(c *conn, acc wire.Accepted, sent time.Duration) error {
	if acc.BeatMs < 10 || acc.LeaseMs < 2*acc.BeatMs {
		return fmt.Errorf("the dispatcher asks for a lease of %d ms with a heartbeat every %d ms, which makes no sense", acc.LeaseMs, acc.BeatMs)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if acc.Term < w.term {
		return fmt.Errorf("%w: term %d, and this one has term %d", ErrOldTerm, w.term, acc.Term)
	}
	if acc.Term > w.term {
		if err := w.spool.saveTerm(acc.Term); err != nil {
			return fmt.Errorf("remember the dispatcher's term: %w", err)
		}
		w.term = acc.Term
	}
	c.beat = time.Duration(acc.BeatMs) * time.Millisecond
	w.lease = time.Duration(acc.LeaseMs) * time.Millisecond
	w.until = leaseEnd(sent, w.lease)
	w.noteTerm(acc.Term)
	w.noteLease()
	w.name = acc.Name
	w.conn = c
	for _, l := range acc.Drop {
		w.haltLocked(wire.StopItem{Lease: l, GraceMs: -1, Drop: true})
	}
	w.requeueResults()
	for _, a := range w.attempts {
		if a.out != nil && !a.delivered && (a.state == ended || a.out.shown()) {
			w.streamLocked(a)
		}
	}
	w.startLocked()
	w.wake()
	return nil
}

// send writes results as they come up and heartbeats in their rhythm.
func (w *Worker) send(c *conn) error {
	t := time.NewTicker(c.beat)
	defer t.Stop()
	w.glance() // so that the first heartbeat has something to say
	for seq := uint64(1); ; {
		if err := w.flush(c.stream); err != nil {
			return err
		}
		if w.leaving() {
			return ErrLeft
		}
		select {
		case <-c.ctx.Done():
			return c.ctx.Err()
		case <-w.signal:
			w.gather(c)
		case <-t.C:
			load, use := w.glance()
			b := wire.Beat{Seq: seq, Load: load, RTT: int64(c.link.RTT()), Use: use, Now: time.Now().UnixMilli()}
			c.mu.Lock()
			c.sent[seq] = w.opt.Clock()
			c.mu.Unlock()
			if err := c.stream.Send(b); err != nil {
				return err
			}
			seq++
		}
	}
}

// While the worker has more to run than its slots hold, nobody waits for the
// next result at once: results are gathered for gatherTime, so that one message
// and one commit carry several (half the work of a dispatcher, for short tasks).
// It takes gatherMin of backlog, and never less than twice what the last message
// carried: slots must not run dry before the next assignments come.
const (
	gatherTime = 25 * time.Millisecond
	gatherMin  = 4
)

// gather waits a little for further results if that costs nothing.
func (w *Worker) gather(c *conn) {
	w.mu.Lock()
	wait := len(w.waiting) >= max(gatherMin, 2*w.out.last) && len(w.out.results) < maxResults && len(w.out.declined) == 0
	w.mu.Unlock()
	if !wait {
		return
	}
	t := time.NewTimer(gatherTime)
	defer t.Stop()
	select {
	case <-c.ctx.Done():
	case <-t.C:
	}
}

// receive obeys the dispatcher until the stream ends.
func (w *Worker) receive(c *conn) error {
	defer c.close()
	for {
		f, err := c.stream.Recv()
		if err != nil {
			return err
		}
		if err := w.obey(c, f); err != nil {
			return err
		}
	}
}

func (w *Worker) obey(c *conn, f wire.Frame) error {
	if c.ctx.Err() != nil {
		return c.ctx.Err() // a later link has taken over
	}
	switch f.Kind {
	case wire.KindAssign:
		return decode(f, func(m wire.Assign) { w.assign(c, m) })
	case wire.KindResultAck:
		return decode(f, w.acked)
	case wire.KindBeatAck:
		return decode(f, func(m wire.BeatAck) { w.renewed(c, m) })
	case wire.KindStop:
		return decode(f, w.halt)
	case wire.KindFault:
		return wire.FaultError(f)
	}
	return fmt.Errorf("the dispatcher sent %s, which a worker does not expect", f.Kind)
}

func decode[T wire.Message](f wire.Frame, do func(T)) error {
	var m T
	if err := wire.Decode(f, &m); err != nil {
		return err
	}
	do(m)
	return nil
}

// renewed extends our leases from the moment the answered beat was sent, and
// starts what could not start while they had ended.
func (w *Worker) renewed(c *conn, m wire.BeatAck) {
	c.mu.Lock()
	sent, ok := c.sent[m.Seq]
	for s := range c.sent {
		if s <= m.Seq {
			delete(c.sent, s)
		}
	}
	c.mu.Unlock()
	if !ok {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if bugs.LeaseFromReply {
		sent = w.opt.Clock()
	}
	if w.conn == c {
		w.until = max(w.until, leaseEnd(sent, w.lease))
		w.noteLease()
		w.startLocked() // what came while the leases had just ended
	}
}
