package remote

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// answers writes to the stream for all requests that are under way on it.
type answers struct {
	stream wire.Stream
	mu     *sync.Mutex
	seq    uint64 // of the request that items belong to
}

func newAnswers(s wire.Stream) *answers { return &answers{stream: s, mu: new(sync.Mutex)} }

// of is the same stream for the items of one request.
func (a *answers) of(seq uint64) *answers { return &answers{stream: a.stream, mu: a.mu, seq: seq} }

// send writes one answer; its error says that the stream is broken. An answer
// that cannot travel is replaced by a failure that says so.
func (a *answers) send(seq uint64, m wire.Message) error {
	b, err := wire.AppendAnswer(nil, seq, m)
	if err != nil {
		return a.fail(seq, err)
	}
	return a.write(b)
}

func (a *answers) fail(seq uint64, why error) error {
	b, err := wire.Append(nil, wire.Failure{Seq: seq, Fault: wire.FaultOf(why)})
	if err != nil {
		return err
	}
	return a.write(b)
}

func (a *answers) write(b []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, err := a.stream.Write(b)
	return err
}

// maxItem is about how many bytes of output or events travel in one item.
const maxItem = 256 << 10

func serveFollow(ctx context.Context, c control.Control, r control.FollowRequest, a *answers) error {
	f, err := c.Follow(ctx, r)
	if err != nil {
		return err
	}
	defer f.Close()
	stop := context.AfterFunc(ctx, func() { f.Close() })
	defer stop()
	for {
		item, err := f.Next()
		if errors.Is(err, io.EOF) {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		for _, part := range split(item) {
			if err := a.send(a.seq, wire.Item[control.FollowItem]{Seq: a.seq, Body: part}); err != nil {
				return err
			}
		}
	}
}

// split cuts an item whose output is large; the task stays in front.
func split(item control.FollowItem) []control.FollowItem {
	total := 0
	for i := range item.Chunks {
		total += len(item.Chunks[i].Data) + 32
	}
	if total <= maxItem {
		return []control.FollowItem{item}
	}
	var parts []control.FollowItem
	part, size := control.FollowItem{Task: item.Task}, 0
	for _, c := range item.Chunks {
		for {
			rest := c.Data[min(len(c.Data), maxItem):]
			piece := c
			piece.Data = c.Data[:len(c.Data)-len(rest)]
			if size > 0 && size+len(piece.Data)+32 > maxItem {
				parts = append(parts, part)
				part, size = control.FollowItem{}, 0
			}
			part.Chunks = append(part.Chunks, piece)
			size += len(piece.Data) + 32
			if len(rest) == 0 {
				break
			}
			c.Data, c.Skipped = rest, 0
		}
	}
	return append(parts, part)
}

// maxEvents is how many events travel in one item.
const maxEvents = 256

func serveEvents(ctx context.Context, c control.Control, r control.EventsRequest, a *answers) error {
	e, err := c.Events(ctx, r)
	if err != nil {
		return err
	}
	defer e.Close()
	stop := context.AfterFunc(ctx, func() { e.Close() })
	defer stop()
	// An empty item says that the stream stands: what happens from now on will come.
	if err := a.send(a.seq, wire.Item[[]control.Event]{Seq: a.seq}); err != nil {
		return err
	}
	for {
		events, err := e.Next()
		if errors.Is(err, io.EOF) {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		for len(events) > 0 {
			n := min(len(events), maxEvents)
			if err := a.send(a.seq, wire.Item[[]control.Event]{Seq: a.seq, Body: events[:n]}); err != nil {
				return err
			}
			events = events[n:]
		}
	}
}

func serveOffers(ctx context.Context, c control.Control, _ wire.Empty, a *answers) error {
	o, err := c.Offers(ctx)
	if err != nil {
		return err
	}
	defer o.Close()
	stop := context.AfterFunc(ctx, func() { o.Close() })
	defer stop()
	for {
		offer, err := o.Next()
		if errors.Is(err, io.EOF) {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		if err := a.send(a.seq, wire.Item[control.Offer]{Seq: a.seq, Body: offer}); err != nil {
			return err
		}
	}
}
