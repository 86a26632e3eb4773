package quicnet

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	quic "github.com/quic-go/quic-go"

	"github.com/adauldev/octaskly/quicnet/wire"
)

// Stream is a wire.Stream in a session. A stream that is never closed keeps its
// place among those that the peer may open, so every stream is to be closed or
// cancelled by both sides. One that is left unread holds up to 1 MiB of what the
// session may have in flight: read to its end, or Cancel.
type Stream struct {
	*wire.Framing
	s    *Session // nil for a control stream
	q    *quic.Stream
	kind wire.StreamKind
	wmu  sync.Mutex // quic-go wants Write and Close apart
	over atomic.Uint32
}

var _ wire.Stream = (*Stream)(nil)

// The two halves of a stream's end, as bits of Stream.over.
const (
	readOver  = 1
	writeOver = 2
)

func newStream(s *Session, q *quic.Stream, kind wire.StreamKind, peer wire.End, limit int) *Stream {
	st := &Stream{s: s, q: q, kind: kind}
	st.Framing = wire.NewFraming(q, lockedWriter{st}, limit)
	st.Restrict(kind, peer)
	return st
}

type lockedWriter struct{ st *Stream }

func (w lockedWriter) Write(p []byte) (int, error) {
	w.st.wmu.Lock()
	defer w.st.wmu.Unlock()
	n, err := w.st.q.Write(p)
	return n, w.st.failed(err, writeOver)
}

// Kind is what the stream is for.
func (st *Stream) Kind() wire.StreamKind { return st.kind }

// Context ends when the stream can no longer be written: it was closed here, the
// peer reads no more, or the session has ended.
func (st *Stream) Context() context.Context { return st.q.Context() }

func (st *Stream) Recv() (wire.Frame, error) {
	f, err := st.Framing.Recv()
	if errors.Is(err, wire.ErrMalformed) {
		st.Cancel(wire.CodeProtocol)
	}
	return f, st.failed(err, readOver)
}

func (st *Stream) Read(p []byte) (int, error) {
	n, err := st.Framing.Read(p)
	return n, st.failed(err, readOver)
}

func (st *Stream) SetReadDeadline(t time.Time) error { return st.q.SetReadDeadline(t) }

func (st *Stream) SetWriteDeadline(t time.Time) error { return st.q.SetWriteDeadline(t) }

// SetPriority orders the streams of a session when it cannot send all at once:
// urgency 0 is first, 7 last, 3 the default. Streams of the same urgency that
// are incremental share, others go one after the other.
func (st *Stream) SetPriority(urgency int8, incremental bool) { st.q.SetPriority(urgency, incremental) }

func (st *Stream) CloseWrite() error {
	st.wmu.Lock()
	err := st.q.Close()
	st.wmu.Unlock()
	st.mark(writeOver)
	return err
}

// Close is Cancel while another goroutine is sending.
func (st *Stream) Close() error {
	if !st.wmu.TryLock() {
		st.Cancel(wire.CodeNone)
		return nil
	}
	err := st.q.Close()
	st.wmu.Unlock()
	st.q.CancelRead(quic.StreamErrorCode(wire.CodeNone))
	st.mark(readOver | writeOver)
	return err
}

func (st *Stream) Cancel(code wire.Code) {
	st.q.CancelWrite(quic.StreamErrorCode(code))
	st.q.CancelRead(quic.StreamErrorCode(code))
	st.mark(readOver | writeOver)
}

// failed notes that a direction is over unless the error may pass, and explains
// an error that is really the session's.
func (st *Stream) failed(err error, half uint32) error {
	switch {
	case err == nil || errors.Is(err, os.ErrDeadlineExceeded):
		return err
	case errors.Is(err, io.EOF):
		st.mark(half)
		return err
	}
	st.mark(half)
	if st.s != nil {
		return st.s.explain(err)
	}
	return translate(err)
}

// mark notes that directions are over, and tells the session once both are.
func (st *Stream) mark(half uint32) {
	const both = readOver | writeOver
	before := st.over.Or(half)
	if before != both && before|half == both && st.s != nil {
		st.s.streamEnded()
	}
}

// readStreamKind reads the first byte of a stream.
func readStreamKind(q *quic.Stream) (wire.StreamKind, error) {
	var b [1]byte
	if _, err := io.ReadFull(q, b[:]); err != nil {
		return 0, err
	}
	return wire.StreamKind(b[0]), nil
}
