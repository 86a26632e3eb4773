package quicnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	quic "github.com/quic-go/quic-go"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Code is why a session was closed, as the other side sees it.
type Code uint64

// The codes.
const (
	CodeLeaving   Code = 0x100 // in good order
	CodeDuplicate Code = 0x101 // another session with the same node stays
	CodeRefused   Code = 0x102 // HELLO was refused
	CodeProtocol  Code = 0x103 // the peer sent what it must not send
	CodeRemoved   Code = 0x104 // the peer is no longer a member
	CodeOverload  Code = 0x105 // a limit was reached
)

// Errors that callers tell apart.
var (
	// ErrDuplicate says that another session with the same node stays in place of
	// this one; nothing is lost and nobody needs to dial again.
	ErrDuplicate = errors.New("another session with this node stands")
	// ErrLeaving says that a session was closed in good order.
	ErrLeaving = errors.New("session closed")
	// ErrRemoved says that the other side has removed this node from the cluster.
	ErrRemoved = errors.New("removed from the cluster")
)

// sessionError names why a session ended.
func sessionError(err error, peer Peer) error {
	var app *quic.ApplicationError
	var reset *quic.StatelessResetError
	var idle *quic.IdleTimeoutError
	who := peer.label()
	switch {
	case err == nil:
		return nil
	case errors.As(err, &app):
		return closedBy(app, who)
	case errors.As(err, &reset):
		return task.Errorf(task.KindUnavailable, "%s was restarted", who)
	case errors.As(err, &idle):
		return task.Errorf(task.KindUnavailable, "%s no longer answers", who)
	case errors.Is(err, context.Canceled), errors.Is(err, net.ErrClosed):
		return fmt.Errorf("%w: %s", ErrLeaving, who)
	}
	return task.Errorf(task.KindUnavailable, "the session with %s broke: %w", who, translate(err))
}

// endsConn reports whether an error of a stream is the end of its connection.
func endsConn(err error) bool {
	var app *quic.ApplicationError
	var reset *quic.StatelessResetError
	var idle *quic.IdleTimeoutError
	return errors.As(err, &app) || errors.As(err, &reset) || errors.As(err, &idle)
}

// closedAs reports whether err, or what ended the connection, is its being closed
// with this code. The error of a stream may come before the connection's.
func closedAs(conn *quic.Conn, err error, code Code) bool {
	var app *quic.ApplicationError
	for _, err := range []error{err, context.Cause(conn.Context())} {
		if errors.As(err, &app) && Code(app.ErrorCode) == code {
			return true
		}
	}
	return false
}

func closedBy(app *quic.ApplicationError, who string) error {
	by := "by this node"
	if app.Remote {
		by = "by " + who
	}
	switch Code(app.ErrorCode) {
	case CodeLeaving:
		return fmt.Errorf("%w %s", ErrLeaving, by)
	case CodeDuplicate:
		return fmt.Errorf("%w: %s", ErrDuplicate, who)
	case CodeRemoved:
		if !app.Remote {
			return task.Errorf(task.KindNotAllowed, "closed %s: %s", by, app.ErrorMessage)
		}
		return task.Errorf(task.KindNotAllowed, "closed %s: %w", by, ErrRemoved)
	}
	return task.Errorf(task.KindUnavailable, "closed %s: %s", by, codeWords(app))
}

// codeWords is why a session was closed: what the side that closed it said, or what
// its code means.
func codeWords(app *quic.ApplicationError) string {
	switch code := Code(app.ErrorCode); {
	case app.ErrorMessage != "" && wire.Readable(app.ErrorMessage):
		return app.ErrorMessage
	case code == CodeRefused:
		return "refused"
	case code == CodeProtocol:
		return "the protocol was broken"
	case code == CodeOverload:
		return "a limit was reached"
	}
	return "no reason was given"
}

// TLS alerts as they arrive over QUIC.
const (
	alertBadCertificate = 0x100 + 42
	alertNoProtocol     = 0x100 + 120
)

// askedFrom names the interface and the address from which packets to addr leave,
// if the system says so.
func askedFrom(addr string) string {
	c, err := net.Dial("udp", addr) // sends nothing
	if err != nil {
		return ""
	}
	defer c.Close()
	from, ok := c.LocalAddr().(*net.UDPAddr)
	if !ok {
		return ""
	}
	all, _ := net.Interfaces() // hidden on some systems
	for _, i := range all {
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.Equal(from.IP) {
				return fmt.Sprintf(", asked from %s (%s)", i.Name, from.IP)
			}
		}
	}
	return ", asked from " + from.IP.String()
}

// dialError names why a connection did not come about.
func dialError(err error, addr string, lim Limits) error {
	var own *task.Error
	var tr *quic.TransportError
	var hs *quic.HandshakeTimeoutError
	var idle *quic.IdleTimeoutError
	switch {
	case errors.As(err, &own):
		return &task.Error{Kind: own.Kind, Message: addr + ": " + own.Error(), Hint: own.Hint}
	case errors.As(err, &hs), errors.As(err, &idle), errors.Is(err, context.DeadlineExceeded):
		return task.Errorf(task.KindTimeout, "%s: no answer over UDP within %s%s", addr, lim.Handshake, askedFrom(addr)).
			WithHint("is octaskly running there, on this port, and does a firewall on the way let UDP through?\nwhat this machine can see: octaskly doctor")
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return task.Errorf(task.KindUnavailable, "%s: no network of this machine leads there", addr).
			WithHint("is the network up? octaskly doctor lists its interfaces")
	case errors.As(err, &tr) && tr.ErrorCode == alertNoProtocol:
		return task.Errorf(task.KindNotAllowed, "%s: it is no member of a cluster, or speaks another protocol", addr)
	case errors.As(err, &tr) && tr.Remote && tr.ErrorCode >= 0x100 && tr.ErrorCode < 0x200:
		return task.Errorf(task.KindNotAllowed, "%s: it does not accept this node's certificate", addr).
			WithHint("this node belongs to another cluster, was removed from this one, or one of the two clocks is wrong")
	case errors.Is(err, io.EOF):
		return task.Errorf(task.KindUnavailable, "%s: it hung up", addr)
	case errors.As(err, &tr) && tr.ErrorCode == quic.ConnectionRefused:
		return task.Errorf(task.KindUnavailable, "%s: it takes no more connections now", addr)
	}
	return task.Errorf(task.KindUnavailable, "%s: %w", addr, translate(err))
}
