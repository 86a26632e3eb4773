package dispatch

import (
	"context"
	"sync"

	"github.com/adauldev/octaskly/quicnet/wire"
)

// Bounds on one Assign message, so that its frame stays below the limit.
const (
	maxAssign      = 512
	maxAssignBytes = 512 << 10
)

// outbox is what waits to be sent to one worker over one connection. Any
// goroutine puts things in; one sends. It never blocks who puts in: what can
// wait there is bounded by the worker's leases.
type outbox struct {
	mu      sync.Mutex
	signal  chan struct{}
	end     func() // breaks the connection
	assigns []wire.Assignment
	acks    []wire.Acked
	stops   []wire.StopItem
	beats   []wire.BeatAck
	closed  bool // nothing more will be put in
}

func newOutbox() *outbox { return &outbox{signal: make(chan struct{}, 1)} }

func (o *outbox) put(f func()) {
	o.mu.Lock()
	f()
	o.mu.Unlock()
	select {
	case o.signal <- struct{}{}:
	default:
	}
}

func (o *outbox) assign(items []wire.Assignment) {
	o.put(func() { o.assigns = append(o.assigns, items...) })
}
func (o *outbox) ack(items []wire.Acked)     { o.put(func() { o.acks = append(o.acks, items...) }) }
func (o *outbox) stop(items []wire.StopItem) { o.put(func() { o.stops = append(o.stops, items...) }) }
func (o *outbox) beat(b wire.BeatAck)        { o.put(func() { o.beats = append(o.beats, b) }) }

// close ends the connection in good order once everything is sent.
func (o *outbox) close() { o.put(func() { o.closed = true }) }

func (o *outbox) over() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closed
}

// next cuts the next messages off: heartbeats and stops first, for they are
// small and urgent. A stop never overtakes the assignment it belongs to.
func (o *outbox) next(term uint64) []wire.Message {
	o.mu.Lock()
	defer o.mu.Unlock()
	var ms []wire.Message
	for _, b := range o.beats {
		ms = append(ms, b)
	}
	o.beats = o.beats[:0]
	if n := cutAssign(o.assigns); n > 0 {
		ms = append(ms, wire.Assign{Term: term, Items: o.assigns[:n:n]})
		if o.assigns = o.assigns[n:]; len(o.assigns) == 0 {
			o.assigns = nil
		}
	}
	if len(o.assigns) == 0 && len(o.stops) > 0 {
		n := min(len(o.stops), wire.MaxItems)
		ms = append(ms, wire.Stop{Items: o.stops[:n:n]})
		o.stops = o.stops[n:]
	}
	if len(o.acks) > 0 {
		n := min(len(o.acks), wire.MaxItems)
		ms = append(ms, wire.ResultAck{Items: o.acks[:n:n]})
		if o.acks = o.acks[n:]; len(o.acks) == 0 {
			o.acks = nil
		}
	}
	return ms
}

// cutAssign is how many assignments fit into one message.
func cutAssign(as []wire.Assignment) int {
	size := 0
	for i := range as {
		size += 64 + as[i].Spec.Size()
		if i == maxAssign || i > 0 && size > maxAssignBytes {
			return i
		}
	}
	return len(as)
}

// send writes to the worker until ctx ends, the stream breaks, or the outbox is
// closed and empty; then it returns nil.
func (o *outbox) send(ctx context.Context, s wire.Stream, term uint64) error {
	for {
		ms := o.next(term)
		for _, m := range ms {
			if err := s.Send(m); err != nil {
				return err
			}
		}
		if len(ms) > 0 {
			continue
		}
		if o.over() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-o.signal:
		}
	}
}
