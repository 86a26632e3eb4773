package quicnet

import (
	"context"
	"errors"
	"sync"
	"time"

	quic "github.com/quic-go/quic-go"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Session is an authenticated peer that has said HELLO. All methods may be
// called from any goroutine.
type Session struct {
	e       *Endpoint
	conn    *quic.Conn
	control *Stream
	peer    Peer
	own     wire.Hello
	kind    wire.PeerKind // of this side
	version uint16

	controlMu sync.Mutex // guards sending on control
	ledger    ledger
}

func newSession(e *Endpoint, conn *quic.Conn, control *Stream, peer Peer, own wire.Hello, version uint16) *Session {
	s := &Session{e: e, conn: conn, control: control, peer: peer, own: own, kind: own.Kind, version: version}
	s.ledger.init()
	return s
}

// Peer is who is at the other end.
func (s *Session) Peer() Peer { return s.peer }

// Version is the protocol version that both sides speak.
func (s *Session) Version() uint16 { return s.version }

// RTT is the smoothed round-trip time.
func (s *Session) RTT() time.Duration { return s.conn.ConnectionStats().SmoothedRTT }

// Done is closed when the session has ended.
func (s *Session) Done() <-chan struct{} { return s.conn.Context().Done() }

// Err is why the session has ended, nil while it stands. Errors to tell apart are
// ErrLeaving and ErrDuplicate; all others mean that the peer was lost.
func (s *Session) Err() error {
	if s.conn.Context().Err() == nil {
		return nil
	}
	return sessionError(context.Cause(s.conn.Context()), s.peer)
}

// GoingAway is closed when either side has begun to shut the session down: no new
// streams can be opened, and those that are open should come to their end.
func (s *Session) GoingAway() <-chan struct{} { return s.ledger.goingAway }

// Open opens a stream. It waits while the peer has as many open as it allows.
func (s *Session) Open(ctx context.Context, kind wire.StreamKind) (*Stream, error) {
	if !kind.Application() {
		return nil, task.Errorf(task.KindInternal, "quicnet: cannot open a %s stream", kind)
	}
	if !s.ledger.opening() {
		return nil, s.closing()
	}
	q, err := s.conn.OpenStreamSync(ctx)
	if err != nil {
		s.ledger.notOpened()
		return nil, s.explain(err)
	}
	st := newStream(s, q, kind, wire.Acceptor, wire.LimitAfter)
	// The peer learns of a stream by its first byte.
	if _, err := st.Write([]byte{byte(kind)}); err != nil {
		st.Cancel(wire.CodeNone)
		return nil, err
	}
	return st, nil
}

// Accept waits for the next stream that the peer opens. A peer that opens one of
// a kind that is none loses the session.
func (s *Session) Accept(ctx context.Context) (wire.StreamKind, *Stream, error) {
	for {
		q, err := s.conn.AcceptStream(ctx)
		if err != nil {
			return 0, nil, s.explain(err)
		}
		s.ledger.accepted()
		_ = q.SetReadDeadline(time.Now().Add(s.e.cfg.Limits.Handshake))
		kind, err := readStreamKind(q)
		_ = q.SetReadDeadline(time.Time{})
		st := newStream(s, q, kind, wire.Opener, wire.LimitAfter)
		switch {
		case err != nil: // reset before it began, or silent for too long
			st.Cancel(wire.CodeProtocol)
		case !kind.Application():
			s.Close(CodeProtocol, "a stream of no known kind")
		default:
			return kind, st, nil
		}
	}
}

// Close ends the session at once. What is still on its way may be lost; see
// Shutdown. Closing twice is harmless.
func (s *Session) Close(code Code, reason string) {
	s.e.leave(s)
	closeConn(s.conn, code, reason)
}

// explain turns an error of the connection into that of the session. A stream may
// hear of the end before the session does.
func (s *Session) explain(err error) error {
	if endsConn(err) {
		return sessionError(err, s.peer)
	}
	if serr := s.Err(); serr != nil && !errors.Is(err, context.DeadlineExceeded) {
		return serr
	}
	return translate(err)
}

func (s *Session) closing() error {
	if err := s.Err(); err != nil {
		return err
	}
	return task.Errorf(task.KindUnavailable, "the session with %s is being closed", s.peer.label())
}
