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

// feed reads the items of one streaming call and opens the stream again when it
// broke. One goroutine calls next; close may come from anywhere.
type feed[A, T any] struct {
	client *Client
	kind   wire.Kind
	ctx    context.Context // ends the feed
	cancel context.CancelFunc
	ask    func() A // what to ask, from where the feed is

	over  error  // what every further next returns; for next only
	parts []byte // for next only

	mu     sync.Mutex
	stream wire.Stream
	closed bool
}

func newFeed[A, T any](ctx context.Context, c *Client, kind wire.Kind, ask func() A) *feed[A, T] {
	f := &feed[A, T]{client: c, kind: kind, ask: ask}
	f.ctx, f.cancel = context.WithCancel(ctx)
	detach := context.AfterFunc(c.ctx, f.cancel)
	context.AfterFunc(f.ctx, func() {
		detach()
		f.cut()
	})
	return f
}

// next is the next item; io.EOF says that there are no more. opened is called
// after the stream was opened.
func (f *feed[A, T]) next(opened func()) (item T, err error) {
	if f.over != nil {
		return item, f.over
	}
	err = f.client.stubborn(f.ctx, repeatable, func(ctx context.Context) error {
		s, fresh, err := f.standing(ctx)
		if err != nil {
			return err
		}
		if fresh {
			opened()
		}
		item, err = f.receive(s)
		if errors.Is(err, errBroken) {
			f.drop(err)
		}
		return err
	})
	if err != nil {
		if !errors.Is(err, io.EOF) && f.isClosed() {
			err = task.Errorf(task.KindUnavailable, "the reader closed it")
		}
		f.over = err
		f.cancel()
	}
	return item, err
}

// standing gives the stream, opening it when there is none.
func (f *feed[A, T]) standing(ctx context.Context) (s wire.Stream, fresh bool, err error) {
	f.mu.Lock()
	s = f.stream
	f.mu.Unlock()
	if s != nil {
		return s, false, nil
	}
	if s, err = f.client.openStream(ctx); err != nil {
		return nil, false, err
	}
	f.mu.Lock()
	if f.closed || f.ctx.Err() != nil {
		f.mu.Unlock()
		s.Cancel(wire.CodeNone)
		return nil, false, errClosed
	}
	f.stream = s
	f.mu.Unlock()
	f.parts = nil
	if err := s.Send(wire.Request[A]{Kind: f.kind, Seq: 1, Body: f.ask()}); err != nil {
		err = broken(err)
		f.drop(err)
		return nil, false, err
	}
	return s, true, nil
}

func (f *feed[A, T]) receive(s wire.Stream) (item T, err error) {
	for {
		frame, err := s.Recv()
		if err != nil {
			return item, broken(err)
		}
		if frame.Kind == wire.KindPart {
			whole, joined, err := joinPart(frame, &f.parts)
			if err != nil {
				return item, broken(err)
			}
			if !whole {
				continue
			}
			frame = joined
		}
		switch frame.Kind {
		case wire.KindEnded:
			return item, io.EOF
		case wire.KindFailure:
			var none struct{}
			return item, answerOf(frame, &none)
		}
		var it wire.Item[T]
		err = wire.DecodeAs(frame, &it)
		return it.Body, err
	}
}

func (f *feed[A, T]) drop(why error) {
	f.mu.Lock()
	s := f.stream
	f.stream = nil
	closed := f.closed
	f.mu.Unlock()
	if s != nil {
		s.Cancel(wire.CodeNone)
	}
	if !closed {
		f.client.noteDown(why)
	}
}

func (f *feed[A, T]) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stream != nil {
		f.stream.Cancel(wire.CodeNone)
	}
}

func (f *feed[A, T]) isClosed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed
}

// Close ends the feed, also while Next blocks.
func (f *feed[A, T]) Close() error {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.cancel()
	f.cut()
	return nil
}

// Follow implements control.Tasks. When the connection breaks, the follow goes on
// behind what was delivered; output of an attempt that ended meanwhile while
// another began may then be missing.
func (c *Client) Follow(ctx context.Context, r control.FollowRequest) (control.Follower, error) {
	f := &follower{request: r}
	f.feed = newFeed[control.FollowRequest, control.FollowItem](ctx, c, wire.KindFollow, f.ask)
	first, err := f.Next()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	f.first = &first
	return f, nil
}

type follower struct {
	*feed[control.FollowRequest, control.FollowItem]
	request control.FollowRequest
	first   *control.FollowItem
	seen    followed
}

func (f *follower) ask() control.FollowRequest {
	r := f.request
	if f.seen.any() {
		r.Tail = 0
	}
	return r
}

// Next implements control.Follower.
func (f *follower) Next() (control.FollowItem, error) {
	if f.first != nil {
		item := *f.first
		f.first = nil
		return item, nil
	}
	for {
		item, err := f.next(func() { f.seen.rewind(f.request.Tail > 0) })
		if err != nil {
			return item, err
		}
		if item = f.seen.pass(item); item.Task != nil || len(item.Chunks) > 0 {
			return item, nil
		}
	}
}

// Events implements control.Watch. When the connection breaks, the stream goes on
// behind the last event; if there was none yet, the reader is told by a gap.
func (c *Client) Events(ctx context.Context, r control.EventsRequest) (control.EventStream, error) {
	e := &eventStream{request: r}
	e.feed = newFeed[control.EventsRequest, []control.Event](ctx, c, wire.KindEvents, func() control.EventsRequest { return e.request })
	if _, err := e.feed.next(func() {}); err != nil { // the empty item: the stream stands
		_ = e.Close()
		return nil, err
	}
	return e, nil
}

type eventStream struct {
	*feed[control.EventsRequest, []control.Event]
	request control.EventsRequest
}

// Next implements control.EventStream.
func (e *eventStream) Next() ([]control.Event, error) {
	for {
		gap := false
		events, err := e.next(func() { gap = e.request.From == 0 })
		if err != nil {
			return nil, err
		}
		for _, ev := range events {
			e.request.From = max(e.request.From, ev.Position)
		}
		if gap {
			events = append([]control.Event{{Kind: control.EventGap, Text: "the connection was made again"}}, events...)
		}
		if len(events) > 0 {
			return events, nil
		}
	}
}

// Offers implements control.Admin. When the connection breaks, the stream is
// opened again.
func (c *Client) Offers(ctx context.Context) (control.OfferStream, error) {
	o := &offerStream{}
	o.feed = newFeed[wire.Empty, control.Offer](ctx, c, wire.KindOffers, func() wire.Empty { return wire.Empty{} })
	return o, nil
}

type offerStream struct {
	*feed[wire.Empty, control.Offer]
}

// Next implements control.OfferStream.
func (o *offerStream) Next() (control.Offer, error) { return o.next(func() {}) }
