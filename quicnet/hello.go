package quicnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	quic "github.com/quic-go/quic-go"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Peer is who is at the other end of a session. ID and Roles come from its
// certificate; Hello is its own claim.
type Peer struct {
	ID     task.NodeID
	Name   string
	Roles  []task.Role
	Hello  wire.Hello
	Addr   net.Addr
	Dialed bool // by this side
}

// May reports whether the peer's certificate names the role.
func (p Peer) May(r task.Role) bool {
	for _, have := range p.Roles {
		if have == r {
			return true
		}
	}
	return false
}

func (p Peer) label() string {
	if p.Name != "" {
		return "node " + p.Name
	}
	return "node " + p.ID.Short()
}

// welcome is the accepting side of HELLO.
func (e *Endpoint) welcome(ctx context.Context, conn *quic.Conn) (*Session, error) {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.Limits.Handshake)
	defer cancel()
	control, err := e.acceptControl(ctx, conn)
	if err != nil {
		closeConn(conn, CodeProtocol, "no hello")
		return nil, err
	}
	h, err := wire.Recv1[wire.Hello](control)
	if err != nil {
		closeConn(conn, CodeProtocol, "no hello")
		return nil, err
	}
	session, version, err := e.examine(conn, control, h, false)
	if err != nil {
		refuse(ctx, conn, control, err)
		return nil, err
	}
	if err := e.enter(session); err != nil {
		refuse(ctx, conn, control, err)
		return nil, err
	}
	// Entered before WELCOME is sent: when the peer holds WELCOME in hand, this
	// side knows the session, and a crossing one is judged against it.
	if err := control.Send(wire.Welcome{Version: version, Hello: session.own}); err != nil {
		e.leave(session)
		closeConn(conn, CodeProtocol, "no welcome")
		return nil, err
	}
	e.start(session)
	return session, nil
}

// acceptControl waits for the first stream, which must be the control stream.
func (e *Endpoint) acceptControl(ctx context.Context, conn *quic.Conn) (*Stream, error) {
	first, err := conn.AcceptStream(ctx)
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	_ = first.SetDeadline(deadline)
	kind, err := readStreamKind(first)
	if err != nil {
		return nil, err
	}
	if kind != wire.StreamControl {
		return nil, fmt.Errorf("%w: the first stream is a %s stream", wire.ErrMalformed, kind)
	}
	return newStream(nil, first, kind, wire.Opener, wire.LimitBefore), nil
}

// greet is the dialling side of HELLO.
func (e *Endpoint) greet(ctx context.Context, conn *quic.Conn, m *trust.Membership, sole bool) (*Session, error) {
	q, err := conn.OpenStreamSync(ctx)
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	_ = q.SetDeadline(deadline)
	control := newStream(nil, q, wire.StreamControl, wire.Acceptor, wire.LimitBefore)
	own := e.hello(m)
	own.Sole = sole
	out, err := wire.Append([]byte{byte(wire.StreamControl)}, own)
	if err != nil {
		return nil, err
	}
	if _, err := control.Write(out); err != nil {
		return nil, err
	}
	f, err := control.Recv()
	if err != nil {
		return nil, err
	}
	if f.Kind == wire.KindRefused {
		return nil, refusal(f)
	}
	var welcome wire.Welcome
	if err := wire.DecodeAs(f, &welcome); err != nil {
		return nil, err
	}
	session, _, err := e.examine(conn, control, welcome.Hello, true)
	if err != nil {
		return nil, err
	}
	if welcome.Version < session.own.Min || welcome.Version > session.own.Max {
		return nil, fmt.Errorf("%w: welcome in version %d", wire.ErrMalformed, welcome.Version)
	}
	session.version = welcome.Version
	if err := e.enter(session); err != nil {
		return nil, err
	}
	e.start(session)
	return session, nil
}

func refusal(f wire.Frame) error {
	var r wire.Refused
	if err := wire.Decode(f, &r); err != nil {
		return err
	}
	if r.Known {
		return ErrDuplicate
	}
	return r.Err()
}

// examine compares a HELLO with the certificate and picks the version. The
// session it returns is not entered yet.
func (e *Endpoint) examine(conn *quic.Conn, control *Stream, hello wire.Hello, dialed bool) (*Session, uint16, error) {
	membership := e.cfg.Membership()
	if membership == nil {
		return nil, 0, task.Errorf(task.KindNotAllowed, "this node is no member of a cluster")
	}
	cert, err := e.verifier.Verify(membership, conn.ConnectionState().TLS, !dialed)
	if err != nil {
		return nil, 0, err
	}
	if err := hello.Valid(); err != nil {
		return nil, 0, err
	}
	if hello.Node != cert.ID || hello.Cluster != cert.Cluster {
		return nil, 0, task.Errorf(task.KindNotAllowed, "the hello names another node or cluster than the certificate")
	}
	own := e.hello(membership)
	version, err := wire.Negotiate(own, hello)
	if err != nil {
		return nil, 0, err
	}
	peer := Peer{ID: cert.ID, Name: hello.Name, Roles: cert.Roles, Hello: hello, Addr: conn.RemoteAddr(), Dialed: dialed}
	if e.cfg.Admit != nil && !dialed {
		if err := e.cfg.Admit(peer); err != nil {
			return nil, 0, err
		}
	}
	return newSession(e, conn, control, peer, own, version), version, nil
}

// enter puts a session into the table, starts to watch it, and closes the one
// that it replaces.
func (e *Endpoint) enter(s *Session) error {
	e.mu.Lock()
	if e.over {
		e.mu.Unlock()
		return task.Errorf(task.KindUnavailable, "this node stops")
	}
	replaced, ok := e.peers.add(s.own.Node, s)
	if ok {
		e.wg.Go(s.watch)
	}
	e.mu.Unlock()
	if !ok {
		return ErrDuplicate
	}
	if replaced != nil {
		replaced.Close(CodeDuplicate, "a newer session stands")
	}
	return nil
}

func (e *Endpoint) leave(s *Session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.peers.remove(s)
}

// start makes an entered session usable.
func (e *Endpoint) start(s *Session) {
	_ = s.control.q.SetDeadline(time.Time{})
	admit(s.conn)
}

// refuse tells the peer why, and gives it the time to read it.
func refuse(ctx context.Context, conn *quic.Conn, control *Stream, err error) {
	r := wire.Refused{Known: errors.Is(err, ErrDuplicate)}
	f := wire.FaultOf(err)
	r.Kind, r.Message, r.Hint = f.Kind, f.Message, f.Hint
	if control.Send(r) == nil && control.CloseWrite() == nil {
		select {
		case <-conn.Context().Done(): // the peer has read it and closed
		case <-ctx.Done():
		}
	}
	closeConn(conn, CodeRefused, "refused")
}

func closeConn(conn *quic.Conn, code Code, reason string) {
	_ = conn.CloseWithError(quic.ApplicationErrorCode(code), reason)
}
