package remote

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// items reads what one streaming request yields, and asks again when the stream
// broke. One goroutine calls NextItem; Close may come from anywhere.
type items struct {
	client *Client
	method *control.Method
	ctx    context.Context // ends the stream
	cancel context.CancelFunc

	request func() any // what to ask, from where the reader is
	opened  func()     // called after the stream was opened, also again

	over  error  // what every further NextItem returns; for NextItem only
	parts []byte // for NextItem only

	mu     sync.Mutex
	stream wire.Stream
	closed bool
}

var _ control.Items = (*items)(nil)

func newItems(ctx context.Context, c *Client, m *control.Method, request func() any, opened func()) *items {
	s := &items{client: c, method: m, request: request, opened: opened}
	s.ctx, s.cancel = context.WithCancel(ctx)
	detach := context.AfterFunc(c.ctx, s.cancel)
	context.AfterFunc(s.ctx, func() {
		detach()
		s.cut()
	})
	return s
}

// Open starts a stream. Follows and events go on where they were when the
// connection breaks; other streams begin again.
func (c *Client) Open(ctx context.Context, m *control.Method, request any) (io.Closer, error) {
	switch r := request.(type) {
	case *control.FollowRequest:
		return c.follow(ctx, m, *r)
	case *control.EventsRequest:
		return c.events(ctx, m, *r)
	}
	return m.StreamOf(newItems(ctx, c, m, func() any { return request }, func() {})), nil
}

// NextItem is the next item; io.EOF says that there are no more.
func (s *items) NextItem() (item any, err error) {
	if s.over != nil {
		return nil, s.over
	}
	err = s.client.retry(s.ctx, repeatable, func(ctx context.Context) error {
		stream, fresh, err := s.standing(ctx)
		if err != nil {
			return err
		}
		if fresh {
			s.opened()
		}
		item, err = s.receive(stream)
		if errors.Is(err, errBroken) {
			s.drop()
		}
		return err
	})
	if err != nil {
		if !errors.Is(err, io.EOF) && s.isClosed() {
			err = task.Errorf(task.KindUnavailable, "the reader closed it")
		}
		s.over = err
		s.cancel()
		return nil, err
	}
	return item, nil
}

// standing gives the stream, opening it when there is none.
func (s *items) standing(ctx context.Context) (stream wire.Stream, fresh bool, err error) {
	s.mu.Lock()
	stream = s.stream
	s.mu.Unlock()
	if stream != nil {
		return stream, false, nil
	}
	if stream, err = s.client.openStream(ctx); err != nil {
		return nil, false, err
	}
	s.mu.Lock()
	if s.closed || s.ctx.Err() != nil {
		s.mu.Unlock()
		stream.Cancel(wire.CodeNone)
		return nil, false, errClosed
	}
	s.stream = stream
	s.mu.Unlock()
	s.parts = nil
	if err := stream.Send(requestOf(s.method, 1, 0, s.client.user, s.request())); err != nil {
		err = broken(err)
		s.drop()
		return nil, false, err
	}
	return stream, true, nil
}

func (s *items) receive(stream wire.Stream) (item any, err error) {
	for {
		frame, err := stream.Recv()
		if err != nil {
			return nil, broken(err)
		}
		if frame.Kind == wire.KindPart {
			whole, joined, err := joinPart(frame, &s.parts)
			if err != nil {
				return nil, broken(err)
			}
			if !whole {
				continue
			}
			frame = joined
		}
		switch frame.Kind {
		case wire.KindEnded:
			return nil, io.EOF
		case wire.KindFailure:
			return nil, failureOf(frame)
		}
		item = s.method.NewReply()
		return item, decodeItem(frame, item)
	}
}

func (s *items) drop() {
	s.mu.Lock()
	stream := s.stream
	s.stream = nil
	s.mu.Unlock()
	if stream != nil {
		stream.Cancel(wire.CodeNone)
	}
}

func (s *items) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stream != nil {
		s.stream.Cancel(wire.CodeNone)
	}
}

func (s *items) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Close ends the stream, also while NextItem blocks.
func (s *items) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.cut()
	return nil
}

// follow waits for the first item, so that a task that is not there is refused at
// once. When the connection breaks, the follow goes on behind what was delivered;
// output of an attempt that ended meanwhile while another began may then be
// missing.
func (c *Client) follow(ctx context.Context, m *control.Method, r control.FollowRequest) (io.Closer, error) {
	f := &follower{request: r}
	f.items = newItems(ctx, c, m, f.again, func() { f.seen.rewind(r.Tail > 0) })
	first, err := f.Next()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	f.first = &first
	return f, nil
}

type follower struct {
	*items
	request control.FollowRequest
	first   *control.FollowItem
	seen    followed
}

var _ control.Follower = (*follower)(nil)

func (f *follower) again() any {
	r := f.request
	if f.seen.any() {
		r.Tail = 0
	}
	return &r
}

// Next leaves out what was delivered before the connection broke.
func (f *follower) Next() (control.FollowItem, error) {
	if f.first != nil {
		item := *f.first
		f.first = nil
		return item, nil
	}
	for {
		got, err := f.NextItem()
		if err != nil {
			return control.FollowItem{}, err
		}
		if item := f.seen.pass(*got.(*control.FollowItem)); item.Task != nil || len(item.Chunks) > 0 {
			return item, nil
		}
	}
}

// events returns when the stream stands. When the connection breaks, it goes on
// behind the last event; if there was none yet, the reader is told by a gap.
func (c *Client) events(ctx context.Context, m *control.Method, r control.EventsRequest) (io.Closer, error) {
	e := &eventStream{request: r}
	e.items = newItems(ctx, c, m, func() any { return &e.request }, func() { e.gap = e.stands && e.request.From == 0 })
	if _, err := e.NextItem(); err != nil { // the empty item: the stream stands
		_ = e.Close()
		return nil, err
	}
	e.stands = true
	return e, nil
}

type eventStream struct {
	*items
	request control.EventsRequest
	stands  bool // it was open before
	gap     bool // it was opened again, and nobody knows what was missed
}

var _ control.EventStream = (*eventStream)(nil)

// Next skips what only says that the stream stands.
func (e *eventStream) Next() ([]control.Event, error) {
	for {
		got, err := e.NextItem()
		if err != nil {
			return nil, err
		}
		events := *got.(*[]control.Event)
		for _, ev := range events {
			e.request.From = max(e.request.From, ev.Position)
		}
		if e.gap {
			e.gap = false
			events = append([]control.Event{{Kind: control.EventGap, Text: "the connection was made again"}}, events...)
		}
		if len(events) > 0 {
			return events, nil
		}
	}
}
