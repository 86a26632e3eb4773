package node

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/adauldev/octaskly/node/dispatch"
	"github.com/adauldev/octaskly/node/worker"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// selfLink is the worker's link to the dispatcher of its own node: streams in
// memory that speak the same messages as those on the network.
type selfLink struct {
	d  *dispatch.Dispatcher
	p  dispatch.Peer
	wg *sync.WaitGroup
}

var _ worker.Link = selfLink{}

func (l selfLink) Open(ctx context.Context, kind wire.StreamKind) (wire.Stream, error) {
	a, b := duplex()
	ours, theirs := wire.NewConn(a, wire.LimitAfter), wire.NewConn(b, wire.LimitAfter)
	l.wg.Go(func() {
		defer theirs.Close()
		switch kind {
		case wire.StreamWork:
			_ = l.d.ServeWork(ctx, l.p, theirs)
		case wire.StreamOutput:
			_ = l.d.ServeOutput(ctx, l.p, theirs)
		}
	})
	return ours, nil
}

func (selfLink) RTT() time.Duration { return 0 }

// pipeBuffer is how many bytes may be on their way in each direction.
const pipeBuffer = 256 << 10

// duplex is a connection in memory. Unlike net.Pipe it has a buffer, so that a
// sender need not wait for the reader, and its sides close one by one.
func duplex() (net.Conn, net.Conn) {
	x, y := newHalf(), newHalf()
	return &end{in: x, out: y}, &end{in: y, out: x}
}

// half carries bytes one way.
type half struct {
	mu       sync.Mutex
	cond     *sync.Cond
	buf      []byte
	eof      bool
	deadline time.Time
	timer    *time.Timer
}

func newHalf() *half {
	h := &half{}
	h.cond = sync.NewCond(&h.mu)
	return h
}

func (h *half) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.buf) == 0 {
		if h.eof {
			return 0, io.EOF
		}
		if !h.deadline.IsZero() && !time.Now().Before(h.deadline) {
			return 0, os.ErrDeadlineExceeded
		}
		h.cond.Wait()
	}
	n := copy(p, h.buf)
	if h.buf = h.buf[n:]; len(h.buf) == 0 {
		h.buf = nil
	}
	h.cond.Broadcast()
	return n, nil
}

func (h *half) write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.buf) > 0 && len(h.buf)+len(p) > pipeBuffer && !h.eof {
		h.cond.Wait()
	}
	if h.eof {
		return 0, io.ErrClosedPipe
	}
	h.buf = append(h.buf, p...)
	h.cond.Broadcast()
	return len(p), nil
}

func (h *half) close(drop bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.eof = true
	if drop {
		h.buf = nil
	}
	if h.timer != nil {
		h.timer.Stop()
	}
	h.cond.Broadcast()
}

func (h *half) setDeadline(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deadline = t
	if h.timer != nil {
		h.timer.Stop()
	}
	if !t.IsZero() {
		h.timer = time.AfterFunc(time.Until(t), func() { h.mu.Lock(); h.cond.Broadcast(); h.mu.Unlock() })
	}
	h.cond.Broadcast()
}

// end is one end of a duplex.
type end struct{ in, out *half }

func (e *end) Read(p []byte) (int, error)         { return e.in.read(p) }
func (e *end) Write(p []byte) (int, error)        { return e.out.write(p) }
func (e *end) CloseWrite() error                  { e.out.close(false); return nil }
func (e *end) Close() error                       { e.out.close(false); e.in.close(true); return nil }
func (e *end) LocalAddr() net.Addr                { return pipeAddr{} }
func (e *end) RemoteAddr() net.Addr               { return pipeAddr{} }
func (e *end) SetDeadline(t time.Time) error      { return e.SetReadDeadline(t) }
func (e *end) SetReadDeadline(t time.Time) error  { e.in.setDeadline(t); return nil }
func (e *end) SetWriteDeadline(_ time.Time) error { return nil }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "memory" }
func (pipeAddr) String() string  { return "this node" }
