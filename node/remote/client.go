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
// concurrent use. Calls that may be repeated (see control.Method) survive a
// broken connection; the others then fail with words that say that nobody knows
// whether they took effect.
//
// A client connects when it is first asked something. Close ends it, and every
// view of it that For has made.
type Client struct {
	control.Client
	*connection
	user string // on whose behalf; empty is whoever the connection belongs to
}

var (
	_ control.Control = (*Client)(nil)
	_ control.Caller  = (*Client)(nil)
)

// NewClient makes a client that asks over the streams of o.
func NewClient(o Opener, opt Options) *Client {
	k := &connection{open: o, patience: opt.Patience, waits: opt.Waits, connecting: newTurn()}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	if k.patience == 0 {
		k.patience = time.Minute
	}
	return newView(k, "")
}

func newView(k *connection, user string) *Client {
	c := &Client{connection: k, user: user}
	c.Client.By = c
	return c
}

// For is a view of the client that asks on behalf of a user of the node that
// asks, such as "user:1000". It has no connection of its own.
func (c *Client) For(user string) *Client { return newView(c.connection, user) }

// connection is what all views of a client share.
type connection struct {
	open     Opener
	patience time.Duration
	waits    bool
	ctx      context.Context // ends with Close, and what has streams of its own with it
	cancel   context.CancelFunc

	connecting turn // of the one that opens a stream

	mu     sync.Mutex
	pipe   *pipe // nil while there is none
	closed bool
	met    bool // was connected at least once

	lanes     atomic.Uint64
	receivers sync.WaitGroup // of all pipes
}

var errClosed = task.Errorf(task.KindUnavailable, "the connection to the node was closed here")

// Close ends every call that is under way and every stream. It returns when they
// have ended.
func (c *connection) Close() error {
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

// connected gives the pipe that stands, or opens one.
func (c *connection) connected(ctx context.Context) (*pipe, error) {
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
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.met = true
	if c.closed {
		s.Cancel(wire.CodeNone)
		return nil, errClosed
	}
	c.pipe = newPipe(s, &c.receivers)
	return c.pipe, nil
}

// current is the pipe that stands, or nil. One that broke is put away.
func (c *connection) current() (*pipe, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClosed
	}
	if c.pipe != nil {
		if err := c.pipe.failed(); err != nil {
			c.pipe = nil
		}
	}
	return c.pipe, nil
}

// openStream opens a stream for a call that has one of its own.
func (c *connection) openStream(ctx context.Context) (wire.Stream, error) {
	if _, err := c.current(); err != nil {
		return nil, err
	}
	s, err := c.open.OpenRPC(ctx)
	if err != nil {
		return nil, openFailed(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.met = true
	return s, nil
}

// retry runs try until it succeeds, fails for good, or patience is over.
// again says whether try may be repeated after it was under way when the
// connection broke; a connection that could not be opened is tried again anyway
// once there was one.
func (c *connection) retry(ctx context.Context, again bool, try func(context.Context) error) error {
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
func (c *connection) mayTryAgain(err error) bool {
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

// Call asks one question and waits for its answer.
func (c *Client) Call(ctx context.Context, m *control.Method, request any) (any, error) {
	var reply any
	err := c.retry(ctx, m.Repeatable, func(ctx context.Context) error {
		p, err := c.connected(ctx)
		if err != nil {
			return openFailed(err)
		}
		into := m.NewReply()
		seq, call, err := p.ask(ctx,
			func(seq uint64) wire.Message { return requestOf(m, seq, 0, c.user, request) },
			func(f wire.Frame) error { return decodeReply(f, into) },
		)
		if err != nil {
			return err
		}
		select {
		case err := <-call.answer:
			reply = into
			return err
		case <-ctx.Done():
			p.take(seq)
			return ctx.Err()
		}
	})
	if err != nil {
		return nil, err
	}
	return reply, nil
}

// maxCancels is how many tasks one request cancels: its answer has to fit a frame.
const maxCancels = 20_000

// Cancel sends any number of tasks, as many at a time as one answer carries. A
// cancel that is repeated finds some tasks cancelled already; their state says so.
func (c *Client) Cancel(ctx context.Context, r control.CancelRequest) ([]control.CancelReply, error) {
	var all []control.CancelReply
	if r.Filter != nil {
		filter := *r.Filter
		filter.Limit, r.Filter = maxCancels, &filter
	}
	for {
		part := r
		part.IDs = r.IDs[:min(len(r.IDs), maxCancels)]
		r.IDs = r.IDs[len(part.IDs):]
		out, err := c.Client.Cancel(ctx, part)
		all = append(all, out...)
		switch {
		case err != nil:
			return all, err
		case r.Filter != nil && len(out) == maxCancels:
			r.Filter.After = out[maxCancels-1].ID
		case len(r.IDs) == 0:
			return all, nil
		}
	}
}

// repeatable says that what is retried may be repeated after the connection
// broke under it.
const repeatable = true

func openFailed(err error) error {
	if errors.Is(err, errClosed) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &openError{err: err}
}
