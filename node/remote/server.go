package remote

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Principals is implemented by a Control that wants to know on whose behalf it
// is asked. As returns a view of it that acts for who.
type Principals interface {
	As(who task.Principal) control.Control
}

// Bounds on what one stream has under way. A request counts one unit and one
// more for each unitBytes of its frame; the stream is not read while all units
// are taken.
const (
	units     = 128
	unitBytes = 64 << 10
)

// Serve answers the requests that come on s, from who, until the client closes
// it (then it returns nil), ctx ends or the stream breaks. Each request has to be
// allowed first; the error of allowed is the answer otherwise. When Serve
// returns, everything it started has ended and s is closed.
func Serve(ctx context.Context, s wire.Stream, c control.Control, who task.Principal, allowed func(Method) error) error {
	if p, ok := c.(Principals); ok {
		c = p.As(who)
	}
	ctx, cancel := context.WithCancel(ctx)
	v := &serving{
		stream: s, control: c, who: who, allowed: allowed, cancel: cancel,
		answers: newAnswers(s), free: make(chan struct{}, units), lanes: map[uint64]chan struct{}{},
	}
	stop := context.AfterFunc(ctx, func() { s.Cancel(wire.CodeShutdown) })
	err := v.loop(ctx)
	switch {
	case errors.Is(err, io.EOF):
		err = nil
		if v.streaming() { // a closed stream ends a follow; ordinary answers still go out
			cancel()
		}
		v.calls.Wait()
		_ = s.Close()
	case errors.Is(err, wire.ErrMalformed):
		cancel()
		s.Cancel(wire.CodeProtocol)
	default:
		cancel()
		s.Cancel(wire.CodeNone)
	}
	stop()
	cancel()
	v.calls.Wait()
	return err
}

// serving is one stream while it is served. The loop owns everything but the
// fields that say otherwise.
type serving struct {
	stream  wire.Stream
	control control.Control
	who     task.Principal
	allowed func(Method) error
	cancel  context.CancelFunc
	answers *answers
	calls   sync.WaitGroup
	free    chan struct{} // holds one element for each unit taken
	lanes   map[uint64]chan struct{}
	follows int
}

func (v *serving) streaming() bool { return v.follows > 0 }

func (v *serving) loop(ctx context.Context) error {
	for {
		f, err := v.stream.Recv()
		if err != nil {
			return err
		}
		decode, ok := methods[f.Kind]
		if !ok {
			return task.Errorf(task.KindUsage, "%w: %s is not a request", wire.ErrMalformed, f.Kind)
		}
		r, err := decode(f)
		if err != nil {
			return err
		}
		if err := v.start(ctx, r, len(f.Body)); err != nil {
			return err
		}
	}
}

func (v *serving) start(ctx context.Context, r request, size int) error {
	if err := v.allowed(r.method); err != nil {
		if r.blob > 0 {
			return v.refuseBlob(r, err)
		}
		return v.answers.fail(r.seq, err)
	}
	if r.method == PutBlob {
		return v.takeBlob(ctx, r)
	}
	n := 1 + size/unitBytes
	for range n {
		select {
		case v.free <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if r.stream != nil {
		v.follows++
	}
	before, after := v.enterLane(r.lane)
	v.calls.Go(func() {
		defer func() {
			for range n {
				<-v.free
			}
		}()
		defer close(after)
		if before != nil {
			<-before
		}
		if err := v.carryOut(ctx, r); err != nil {
			v.cancel() // the stream is broken: everything on it ends
		}
	})
	return nil
}

// enterLane puts a request behind those of the same lane that came before it.
// The channels close when the one before, and this one, are done.
func (v *serving) enterLane(lane uint64) (before, after chan struct{}) {
	after = make(chan struct{})
	if lane == 0 {
		return nil, after
	}
	before = v.lanes[lane]
	if len(v.lanes) > units { // more than can be under way: most are done
		for l, c := range v.lanes {
			select {
			case <-c:
				delete(v.lanes, l)
			default:
			}
		}
	}
	v.lanes[lane] = after
	return before, after
}

// carryOut does one request and answers it. Its error says that the stream is
// broken; whatever goes wrong with the request is the answer.
func (v *serving) carryOut(ctx context.Context, r request) error {
	if r.stream != nil {
		if err := v.guard(r, func() error { return r.stream(ctx, v.control, v.answers.of(r.seq)) }); err != nil {
			return v.refuse(ctx, r, err)
		}
		return v.answers.send(r.seq, wire.Ended{Seq: r.seq})
	}
	var m wire.Message
	err := v.guard(r, func() (err error) {
		m, err = r.run(ctx, v.control)
		return err
	})
	if err != nil {
		return v.refuse(ctx, r, err)
	}
	return v.answers.send(r.seq, m)
}

// refuse answers with an error, unless the error only tells that this end is
// going away: the client learns that from the stream and asks again elsewhere.
func (v *serving) refuse(ctx context.Context, r request, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return v.answers.fail(r.seq, err)
}

// guard turns a panic into a failure of this one request.
func (v *serving) guard(r request, do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			slog.Error("a request failed inside", "method", string(r.method), "who", string(v.who), "panic", p, "stack", string(debug.Stack()))
			err = task.Errorf(task.KindInternal, "%s failed inside the node; its log says more", r.method)
		}
	}()
	return do()
}

// takeBlob lets the Control read the raw bytes that follow. The loop does not
// read meanwhile.
func (v *serving) takeBlob(ctx context.Context, r request) error {
	left := r.blob
	read := func(p []byte) (int, error) {
		if left <= 0 {
			return 0, io.EOF
		}
		n, err := v.stream.Read(p[:min(int64(len(p)), left)])
		left -= int64(n)
		if errors.Is(err, io.EOF) && left > 0 {
			err = io.ErrUnexpectedEOF
		}
		return n, err
	}
	var ref string
	err := v.guard(r, func() (err error) {
		if r.blob < 0 {
			return task.Errorf(task.KindUsage, "a blob of %d bytes cannot be stored", r.blob)
		}
		ref, err = v.control.PutBlob(ctx, r.blob, read)
		return err
	})
	if err != nil {
		return v.refuseBlob(request{seq: r.seq, blob: left}, err)
	}
	if err := discard(v.stream, left); err != nil {
		return err
	}
	return v.answers.send(r.seq, wire.Reply[wire.BlobRef]{Seq: r.seq, Body: wire.BlobRef{Ref: ref}})
}

// refuseBlob answers before it reads on, so that the client need not send the
// rest; what is under way already is dropped.
func (v *serving) refuseBlob(r request, why error) error {
	if err := v.answers.fail(r.seq, why); err != nil {
		return err
	}
	return discard(v.stream, r.blob)
}

func discard(r io.Reader, n int64) error {
	_, err := io.CopyN(io.Discard, r, n)
	return err
}
