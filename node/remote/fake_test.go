package remote

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// cluster is a Control with a memory: a queue that knows its keys.
type cluster struct {
	control.Control // anything not set below panics, which is a failure inside
	mu              sync.Mutex
	tasks           []task.Task
	keys            map[string]task.ID
	submit          func(control.SubmitRequest) error // refuses or delays a frame
	follow          func(control.FollowRequest) (control.Follower, error)
	events          func(control.EventsRequest) (control.EventStream, error)
	put             func(size int64, read func([]byte) (int, error)) (string, error)
	page            control.Page
	drain           func(string) (control.Node, error)
	offers          *listing[control.Offer]
	decided         []string
}

func (c *cluster) Offers(context.Context) (control.OfferStream, error) { return c.offers, nil }

func (c *cluster) Decide(_ context.Context, id uint64, yes bool) error {
	c.decided = append(c.decided, fmt.Sprint(id, yes))
	return nil
}

func (c *cluster) Submit(_ context.Context, r control.SubmitRequest) (control.SubmitReply, error) {
	if c.submit != nil {
		if err := c.submit(r); err != nil {
			return control.SubmitReply{}, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	reply := control.SubmitReply{Ahead: len(c.tasks)}
	for _, n := range r.Tasks {
		if id, known := c.keys[n.Key]; known {
			reply.Results = append(reply.Results, control.Submitted{ID: id, Duplicate: true})
			continue
		}
		id := task.ID(len(c.tasks) + 1)
		c.tasks = append(c.tasks, task.Task{ID: id, Spec: n.Spec, Key: n.Key, State: task.Queued})
		if c.keys == nil {
			c.keys = map[string]task.ID{}
		}
		c.keys[n.Key] = id
		reply.Results = append(reply.Results, control.Submitted{ID: id})
	}
	return reply, nil
}

func (c *cluster) Get(_ context.Context, id task.ID) (task.Task, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id == 0 || int(id) > len(c.tasks) {
		return task.Task{}, task.Errorf(task.KindNotFound, "no task %d", id).WithHint("octaskly ps lists them")
	}
	return c.tasks[id-1], nil
}

func (c *cluster) List(context.Context, control.Query) (control.Page, error) { return c.page, nil }

func (c *cluster) Cancel(_ context.Context, r control.CancelRequest) ([]control.CancelReply, error) {
	var out []control.CancelReply
	for _, id := range r.IDs {
		out = append(out, control.CancelReply{ID: id, State: task.Cancelled, Kind: task.KindConflict})
	}
	if f := r.Filter; f != nil { // as many as the fake's page says, newest first
		last := task.ID(c.page.Total + 1)
		if f.After != 0 {
			last = f.After
		}
		for last > 1 && (f.Limit == 0 || len(out) < f.Limit) {
			last--
			out = append(out, control.CancelReply{ID: last, State: task.Cancelled, Kind: task.KindConflict})
		}
	}
	return out, nil
}

func (c *cluster) Drain(_ context.Context, node string) (control.Node, error) { return c.drain(node) }

func (c *cluster) Follow(_ context.Context, r control.FollowRequest) (control.Follower, error) {
	return c.follow(r)
}

func (c *cluster) Events(_ context.Context, r control.EventsRequest) (control.EventStream, error) {
	return c.events(r)
}

func (c *cluster) PutBlob(_ context.Context, size int64, read func([]byte) (int, error)) (string, error) {
	return c.put(size, read)
}

// listing is a Follower or an EventStream that says what it was given, then waits
// for more or for Close.
type listing[T any] struct {
	list   []T
	more   chan T
	closed chan struct{}
	once   sync.Once
}

func listed[T any](list ...T) *listing[T] {
	return &listing[T]{list: list, more: make(chan T), closed: make(chan struct{})}
}

func (i *listing[T]) Next() (T, error) {
	var none T
	if len(i.list) > 0 {
		t := i.list[0]
		i.list = i.list[1:]
		return t, nil
	}
	select {
	case t, ok := <-i.more:
		if !ok {
			return none, io.EOF
		}
		return t, nil
	case <-i.closed:
		return none, fmt.Errorf("closed")
	}
}

func (i *listing[T]) Close() error { i.once.Do(func() { close(i.closed) }); return nil }

// lab is a client and a node that serves it over pipes that can be cut.
type lab struct {
	t       testing.TB
	control control.Control
	allowed func(*control.Method) error
	refuse  func() error // makes OpenRPC fail

	ctx    context.Context
	cancel context.CancelFunc
	mu     sync.Mutex
	conns  []net.Conn
	opened int
	who    task.Principal // of the last request
	served sync.WaitGroup
	errs   []error
}

func newLab(t testing.TB, c control.Control) (*lab, *Client) {
	l := &lab{t: t, control: c, allowed: func(*control.Method) error { return nil }}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	client := NewClient(l, Options{})
	t.Cleanup(func() {
		_ = client.Close()
		l.cancel()
		l.served.Wait()
	})
	return l, client
}

func (l *lab) OpenRPC(context.Context) (wire.Stream, error) {
	if l.refuse != nil {
		if err := l.refuse(); err != nil {
			return nil, err
		}
	}
	a, b := net.Pipe()
	l.mu.Lock()
	l.conns = append(l.conns, a, b)
	l.opened++
	l.mu.Unlock()
	s := wire.NewConn(b, wire.LimitAfter)
	s.Restrict(wire.StreamRPC, wire.Opener)
	l.served.Go(func() {
		by := serviceOf(l.control)
		by.Allowed = l.may
		by.Identify = l.identify
		err := Serve(l.ctx, s, by)
		l.mu.Lock()
		l.errs = append(l.errs, err)
		l.mu.Unlock()
	})
	c := wire.NewConn(a, wire.LimitAfter)
	c.Restrict(wire.StreamRPC, wire.Acceptor)
	return c, nil
}

// serviceOf lets everybody ask c everything.
func serviceOf(c control.Control) Service {
	return Service{
		Identify: func(user string) (task.Principal, error) { return task.Principal(user), nil },
		Caller: func(task.Principal) control.Caller {
			return control.Direct(func(*control.Method) control.Control { return c })
		},
		Allowed: func(*control.Method) error { return nil },
	}
}

// identify remembers who asked last.
func (l *lab) identify(user string) (task.Principal, error) {
	who := task.Principal("node:lab")
	if user != "" {
		who = task.Principal(user + "@lab")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.who = who
	return who, nil
}

func (l *lab) asked() task.Principal {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.who
}

func (l *lab) may(m *control.Method) error {
	l.mu.Lock()
	allowed := l.allowed
	l.mu.Unlock()
	return allowed(m)
}

func (l *lab) allow(f func(*control.Method) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.allowed = f
}

// cut breaks every connection there is.
func (l *lab) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}

func (l *lab) streams() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.opened
}
