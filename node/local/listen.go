package local

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/adauldev/octaskly/quicnet/wire"
)

// Place says where a node's socket may be.
type Place struct {
	Runtime string // the user's folder for sockets; it is made when its parent is there and ours. Empty is none
	Dir     string // the node's own folder, for when there is no such folder
	N       int    // the node's number
}

// Peer is the process at the other end, as the system tells.
type Peer struct {
	User string // number of the user; on Windows its SID
	PID  int    // 0 where the system does not say
}

// maxConns is how many connections a listener has at a time; more are closed at
// once.
const maxConns = 256

// Listener is a node's local socket.
type Listener struct {
	socket
	key Key
}

// Listen takes the socket. When another node that lives holds the name in the
// Runtime folder, the socket is in the node's own folder. It refuses folders and
// names that are not this user's alone.
func Listen(p Place, key Key) (*Listener, error) {
	s, err := listen(p)
	if err != nil {
		return nil, err
	}
	return &Listener{socket: s, key: key}, nil
}

// Address is where the listener is, for Dial.
func (l *Listener) Address() string { return l.address }

// Run accepts connections until ctx ends, and hands each that passed the
// challenge to serve, which owns the stream until it returns. Run returns when
// every serve has; the socket is gone then.
func (l *Listener) Run(ctx context.Context, serve func(ctx context.Context, p Purpose, s wire.Stream, who Peer)) error {
	var conns sync.WaitGroup
	defer conns.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	free := make(chan struct{}, maxConns)
	for wait := time.Duration(0); ; {
		c, err := l.accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = c.Close()
			}
			return nil
		}
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			// Out of descriptors or memory: others may give some back.
			wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			slog.Warn("accept on the local socket", "socket", l.address, "error", err)
			select {
			case <-time.After(wait):
			case <-ctx.Done():
			}
			continue
		}
		wait = 0
		select {
		case free <- struct{}{}:
		default:
			slog.Warn("too many local connections", "socket", l.address, "limit", maxConns)
			_ = c.Close()
			continue
		}
		conns.Go(func() {
			defer func() { <-free }()
			l.one(ctx, c, serve)
		})
	}
}

// one serves one connection from the challenge to its end.
func (l *Listener) one(ctx context.Context, c net.Conn, serve func(context.Context, Purpose, wire.Stream, Peer)) {
	s := wire.NewConn(c, wire.LimitBefore)
	defer s.Cancel(wire.CodeNone)
	defer context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })()
	s.Restrict(wire.StreamRPC, wire.Opener)
	who, err := peerOf(c)
	if err != nil {
		slog.Warn("a local connection was refused", "socket", l.address, "error", err)
		return
	}
	_ = c.SetDeadline(time.Now().Add(handshakeTime))
	purpose, err := l.key.accept(s)
	if err != nil {
		slog.Info("a local connection was refused", "socket", l.address, "pid", who.PID, "error", err)
		return
	}
	_ = c.SetDeadline(time.Time{})
	s.SetLimit(wire.LimitAfter)
	if ctx.Err() == nil {
		serve(ctx, purpose, s, who)
	}
}
