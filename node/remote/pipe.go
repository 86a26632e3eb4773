package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// pipe is one stream that carries any number of calls at a time.
//
// One goroutine receives and decodes; callers send under a lock of their own.
type pipe struct {
	stream wire.Stream

	send turn // one sender at a time; buf is its memory
	buf  []byte

	mu    sync.Mutex
	calls map[uint64]*call
	last  uint64
	err   error // set once: the pipe is of no more use
}

// call is one question that waits for its answer.
type call struct {
	decode func(wire.Frame) error // called by the receiver
	answer chan error             // capacity 1
	parts  []byte
}

// errBroken is wrapped by every error that tells of the stream, so that the
// question may be asked again over another one.
var errBroken = errors.New("connection broken")

func broken(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: the node closed it", errBroken)
	}
	return fmt.Errorf("%w: %w", errBroken, err)
}

// newPipe starts the receiver as a part of running.
func newPipe(s wire.Stream, running *sync.WaitGroup) *pipe {
	p := &pipe{stream: s, send: newTurn(), calls: map[uint64]*call{}}
	running.Go(p.receive)
	return p
}

func (p *pipe) receive() {
	for {
		f, err := p.stream.Recv()
		if err != nil {
			err = broken(err) // whatever kind it has: it tells of the stream
		} else {
			err = p.accept(f)
		}
		if err != nil {
			p.fail(err)
			p.stream.Cancel(wire.CodeNone)
			return
		}
	}
}

// accept hands one frame to the call it answers.
func (p *pipe) accept(f wire.Frame) error {
	if f.Kind == wire.KindFault {
		return wire.FaultError(f)
	}
	seq, err := wire.SeqOf(f)
	if err != nil {
		return err
	}
	p.mu.Lock()
	c := p.calls[seq]
	p.mu.Unlock()
	if c != nil && f.Kind == wire.KindPart {
		whole, frame, err := joinPart(f, &c.parts)
		if err != nil || !whole {
			return err
		}
		f = frame
	}
	if p.take(seq) { // false when it was given up meanwhile
		c.answer <- c.decode(f)
	}
	return nil
}

// take ends the wait for an answer. It is true once for each call, and whoever
// gets that answers it.
func (p *pipe) take(seq uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, waits := p.calls[seq]
	delete(p.calls, seq)
	return waits
}

func joinPart(f wire.Frame, parts *[]byte) (whole bool, frame wire.Frame, err error) {
	var part wire.Part
	if err := wire.Decode(f, &part); err != nil {
		return false, frame, err
	}
	*parts, frame, whole, err = part.Join(*parts)
	return whole, frame, err
}

// ask sends a question made for the next free number. The error, if any, tells
// of the stream, of ctx, or of a question that cannot travel.
func (p *pipe) ask(ctx context.Context, question func(seq uint64) wire.Message, decode func(wire.Frame) error) (uint64, *call, error) {
	c := &call{decode: decode, answer: make(chan error, 1)}
	p.mu.Lock()
	if p.err != nil {
		p.mu.Unlock()
		return 0, nil, p.err
	}
	p.last++
	seq := p.last
	p.calls[seq] = c
	p.mu.Unlock()
	if err := p.write(ctx, question(seq)); err != nil {
		p.take(seq)
		return 0, nil, err
	}
	return seq, c, nil
}

func (p *pipe) write(ctx context.Context, m wire.Message) error {
	if err := p.send.take(ctx); err != nil {
		return err
	}
	defer p.send.give()
	b, err := wire.Append(p.buf[:0], m)
	if err != nil {
		return err
	}
	if cap(b) <= 64<<10 {
		p.buf = b[:0]
	}
	if err := p.writeBytes(ctx, b); err != nil {
		err = broken(err)
		p.fail(err)
		p.stream.Cancel(wire.CodeNone) // ends the receiver
		return err
	}
	return nil
}

// writeBytes gives up when ctx ends while the node does not read. Half a question
// is of no use to anybody: the stream is over then.
func (p *pipe) writeBytes(ctx context.Context, b []byte) error {
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = p.stream.SetWriteDeadline(time.Unix(1, 0))
		close(fired)
	})
	_, err := p.stream.Write(b)
	if !stop() {
		<-fired
		if err == nil {
			err = p.stream.SetWriteDeadline(time.Time{})
		}
	}
	return err
}

// turn is a lock that is waited for only while ctx lasts.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) give() { <-t }

// fail ends the pipe: every call that waits gets the error.
func (p *pipe) fail(err error) {
	var fault *task.Error
	if !errors.Is(err, errBroken) && !errors.As(err, &fault) {
		err = broken(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
	}
	for seq, c := range p.calls {
		delete(p.calls, seq)
		c.answer <- p.err
	}
}

func (p *pipe) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// close ends the pipe; its receiver ends soon.
func (p *pipe) close() {
	p.fail(fmt.Errorf("%w: this side closed it", errBroken))
	p.stream.Cancel(wire.CodeNone)
}
