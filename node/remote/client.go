package remote

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Opener opens streams to the node that is asked. It is called again whenever a
// stream broke, so it should find the node anew. An error that a person can do
// something about is a *task.Error.
type Opener interface {
	OpenRPC(ctx context.Context) (wire.Stream, error)
}

// Options shape a client.
type Options struct {
	// Patience is how long a client that was connected before goes on trying to
	// connect again before a call fails. 0 is one minute; negative is not at all.
	// The first connection is tried once only.
	Patience time.Duration
	// Waits says that the opener itself waits for what may come back: what it
	// could not open is not tried again, what broke after it was open is.
	Waits bool
}

// Client is a control.Control that asks a node over streams. It is safe for
// concurrent use. Calls that may be repeated (see the package comment) survive a
// broken connection; the others then fail with words that say that nobody knows
// whether they took effect.
//
// A client connects when it is first asked something. Close ends it.
type Client struct {
	open     Opener
	patience time.Duration
	waits    bool
	ctx      context.Context // ends with Close, and what has streams of its own with it
	cancel   context.CancelFunc

	connecting turn // of the one that opens a stream

	mu     sync.Mutex
	pipe   *pipe // nil while there is none
	closed bool
	facts  facts
	met    bool // was connected at least once

	lanes     atomic.Uint64
	receivers sync.WaitGroup // of all pipes
}

var _ control.Control = (*Client)(nil)

// NewClient makes a client that asks over the streams of o.
func NewClient(o Opener, opt Options) *Client {
	c := &Client{open: o, patience: opt.Patience, waits: opt.Waits, connecting: newTurn()}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if c.patience == 0 {
		c.patience = time.Minute
	}
	return c
}

var errClosed = task.Errorf(task.KindUnavailable, "the connection to the node was closed here")

// Close ends every call that is under way and every stream. It returns when they
// have ended.
func (c *Client) Close() error {
	c.mu.Lock()
	p := c.pipe
	c.closed, c.pipe = true, nil
	c.mu.Unlock()
	c.cancel()
	if p != nil {
		p.close()
	}
	c.receivers.Wait()
	return nil
}

// Link is how the connection stands now.
func (c *Client) Link() Link {
	c.mu.Lock()
	f, p := c.facts, c.pipe
	c.mu.Unlock()
	if p != nil {
		f.pending, f.heard = p.oldest()
	}
	return linkOf(f, time.Now())
}

// connected gives the pipe that stands, or opens one.
func (c *Client) connected(ctx context.Context) (*pipe, error) {
	if p, err := c.current(); p != nil || err != nil {
		return p, err
	}
	if err := c.connecting.take(ctx); err != nil {
		return nil, err
	}
	defer c.connecting.give()
	if p, err := c.current(); p != nil || err != nil {
		return p, err
	}
	s, err := c.open.OpenRPC(ctx)
	c.noteOpen(err)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		s.Cancel(wire.CodeNone)
		return nil, errClosed
	}
	c.pipe = newPipe(s, &c.receivers)
	return c.pipe, nil
}

// current is the pipe that stands, or nil. One that broke is put away.
func (c *Client) current() (*pipe, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClosed
	}
	if c.pipe != nil {
		if err := c.pipe.failed(); err != nil {
			c.pipe = nil
			c.facts.up, c.facts.err, c.facts.down = false, err, time.Now()
		}
	}
	return c.pipe, nil
}

// noteOpen keeps the facts of the link after an attempt to open a stream.
func (c *Client) noteOpen(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if err == nil {
		c.facts = facts{used: true, up: true, heard: now}
		c.met = true
		return
	}
	if !c.facts.used || c.facts.up {
		c.facts.down = now
	}
	c.facts.used, c.facts.up, c.facts.err = true, false, err
	c.facts.tries++
}

// noteDown keeps the facts of the link after a stream broke.
func (c *Client) noteDown(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.facts.up && c.pipe == nil {
		c.facts.up, c.facts.down, c.facts.err = false, time.Now(), err
	}
}

// openStream opens a stream for a call that has one of its own.
func (c *Client) openStream(ctx context.Context) (wire.Stream, error) {
	if _, err := c.current(); err != nil {
		return nil, err
	}
	s, err := c.open.OpenRPC(ctx)
	c.noteOpen(err)
	if err != nil {
		return nil, openFailed(err)
	}
	return s, nil
}

// stubborn runs try until it succeeds, fails for good, or patience is over.
// again says whether try may be repeated after it was under way when the
// connection broke; a connection that could not be opened is tried again anyway
// once there was one.
func (c *Client) stubborn(ctx context.Context, again bool, try func(context.Context) error) error {
	var deadline time.Time
	for n := 0; ; n++ {
		err := try(ctx)
		var open *openError
		opening := errors.As(err, &open)
		if err == nil || !opening && !errors.Is(err, errBroken) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !opening && !again {
			return unknownOutcome(err)
		}
		if opening && !c.mayTryAgain(open.err) {
			return open.err
		}
		now := time.Now()
		if deadline.IsZero() {
			deadline = now.Add(c.patience)
		}
		wait := nextDelay(n)
		if now.Add(wait).After(deadline) {
			return outOfPatience(err)
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// openError marks an error of Opener.
type openError struct{ err error }

func (e *openError) Error() string { return e.err.Error() }
func (e *openError) Unwrap() error { return e.err }

// mayTryAgain reports whether opening a stream may succeed later: never before
// the first time, nor when the node refuses.
func (c *Client) mayTryAgain(err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.met || c.closed || c.waits {
		return false
	}
	switch task.KindOf(err) {
	case task.KindNotAllowed, task.KindUsage, task.KindCorrupt:
		return false
	}
	return true
}

func unknownOutcome(err error) error {
	return task.Errorf(task.KindUnavailable, "no answer came, so nobody knows whether it was done: %w", err).
		WithHint("look first, then ask again")
}

func outOfPatience(err error) error {
	if e := (*openError)(nil); errors.As(err, &e) && task.KindOf(e.err) != task.KindInternal {
		return e.err
	}
	return task.Errorf(task.KindNoDispatcher, "the connection was lost and could not be made again: %w", err).
		WithHint("see whether the node still runs: octaskly status")
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ask is one question and its answer.
func ask[A, R any](ctx context.Context, c *Client, kind wire.Kind, again bool, body A) (R, error) {
	var out R
	err := c.stubborn(ctx, again, func(ctx context.Context) error {
		p, err := c.connected(ctx)
		if err != nil {
			return openFailed(err)
		}
		var got R
		seq, call, err := p.ask(ctx,
			func(seq uint64) wire.Message { return wire.Request[A]{Kind: kind, Seq: seq, Body: body} },
			func(f wire.Frame) error { return answerOf(f, &got) },
		)
		if err != nil {
			return err
		}
		select {
		case err := <-call.answer:
			out = got
			return err
		case <-ctx.Done():
			p.take(seq)
			return ctx.Err()
		}
	})
	return out, err
}

func openFailed(err error) error {
	if errors.Is(err, errClosed) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &openError{err: err}
}
