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

// Service is who answers on a stream.
type Service struct {
	// Identify says on whose behalf a request is made that names this user; empty
	// is the peer itself.
	Identify func(user string) (task.Principal, error)
	// Caller is asked on behalf of who.
	Caller func(who task.Principal) control.Caller
	// Allowed is nil when the peer may ask this, else the answer.
	Allowed func(*control.Method) error
}

// Bounds on what one stream has under way. A request counts one unit and one
// more for each unitBytes of its frame; the stream is not read while all units
// are taken.
const (
	units     = 128
	unitBytes = 64 << 10
)

// Serve answers the requests that come on s until the client closes it (then it
// returns nil), ctx ends or the stream breaks. When Serve returns, everything it
// started has ended and s is closed.
func Serve(ctx context.Context, s wire.Stream, by Service) error {
	ctx, cancel := context.WithCancel(ctx)
	v := &serving{
		stream: s, service: by, cancel: cancel,
		answers: &answers{stream: s}, free: make(chan struct{}, units), lanes: map[uint64]chan struct{}{},
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
	service Service
	cancel  context.CancelFunc
	answers *answers
	calls   sync.WaitGroup
	free    chan struct{} // holds one element for each unit taken
	lanes   map[uint64]chan struct{}
	follows int
}

func (v *serving) streaming() bool { return v.follows > 0 }

// request is one decoded request.
type request struct {
	method *control.Method
	seq    uint64
	lane   uint64
	user   string
	body   any // a pointer to the method's request
}

func decodeRequest(f wire.Frame) (r request, err error) {
	m, ok := byKind[f.Kind]
	if !ok {
		return r, task.Errorf(task.KindUsage, "%w: %s is not a request", wire.ErrMalformed, f.Kind)
	}
	head, body, err := wire.OpenBody(f)
	if err != nil {
		return r, err
	}
	r = request{method: m, seq: head.Seq, lane: head.Lane, user: head.User, body: m.NewRequest()}
	return r, wire.DecodeInto(body, r.body)
}

func (v *serving) loop(ctx context.Context) error {
	for {
		f, err := v.stream.Recv()
		if err != nil {
			return err
		}
		r, err := decodeRequest(f)
		if err != nil {
			return err
		}
		if err := v.start(ctx, r, len(f.Body)); err != nil {
			return err
		}
	}
}

// callerFor is who answers a request, or why nobody does.
func (v *serving) callerFor(r request) (control.Caller, error) {
	if err := v.service.Allowed(r.method); err != nil {
		return nil, err
	}
	who, err := v.service.Identify(r.user)
	if err != nil {
		return nil, err
	}
	return v.service.Caller(who), nil
}

func (v *serving) start(ctx context.Context, r request, size int) error {
	upload, isUpload := r.body.(*control.UploadRequest)
	c, err := v.callerFor(r)
	switch {
	case err != nil && isUpload:
		return v.refuseUpload(r, upload.Size, err)
	case err != nil:
		return v.answers.fail(r.seq, err)
	case isUpload:
		return v.takeUpload(ctx, c, r, upload.Size)
	}
	n := 1 + size/unitBytes
	for range n {
		select {
		case v.free <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if r.method.Shape == control.Streaming {
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
		if err := v.carryOut(ctx, c, r); err != nil {
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
func (v *serving) carryOut(ctx context.Context, c control.Caller, r request) error {
	if r.method.Shape == control.Streaming {
		if err := v.guard(r, func() error { return v.answers.sendItems(ctx, c, r) }); err != nil {
			return v.refuse(ctx, r, err)
		}
		return v.answers.send(r.seq, wire.Ended{Seq: r.seq})
	}
	var reply any
	err := v.guard(r, func() (err error) {
		reply, err = c.Call(ctx, r.method, r.body)
		return err
	})
	if err != nil {
		return v.refuse(ctx, r, err)
	}
	fitReply(reply)
	return v.answers.send(r.seq, wire.Reply[any]{Seq: r.seq, Body: reply})
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
			slog.Error("a request failed inside", "method", r.method.Name, "user", r.user, "panic", p, "stack", string(debug.Stack()))
			err = task.Errorf(task.KindInternal, "%s failed inside the node; its log says more", r.method.Name)
		}
	}()
	return do()
}

// takeUpload lets the raw bytes that follow be read. The loop does not read
// meanwhile.
func (v *serving) takeUpload(ctx context.Context, c control.Caller, r request, size int64) error {
	left := size
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
		if size < 0 {
			return task.Errorf(task.KindUsage, "a file of %d bytes cannot be stored", size)
		}
		ref, err = c.Upload(ctx, r.method, size, read)
		return err
	})
	if err != nil {
		return v.refuseUpload(r, left, err)
	}
	if err := discard(v.stream, left); err != nil {
		return err
	}
	return v.answers.send(r.seq, wire.Reply[any]{Seq: r.seq, Body: &control.UploadReply{Ref: ref}})
}

// refuseUpload answers before it reads on, so that the client need not send the
// rest; what is under way already is dropped.
func (v *serving) refuseUpload(r request, left int64, why error) error {
	if err := v.answers.fail(r.seq, why); err != nil {
		return err
	}
	return discard(v.stream, left)
}

func discard(r io.Reader, n int64) error {
	_, err := io.CopyN(io.Discard, r, n)
	return err
}
