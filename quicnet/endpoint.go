package quicnet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	quic "github.com/quic-go/quic-go"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

func init() {
	// quic-go complains about small socket buffers on the standard logger, in the
	// middle of a screen. The buffers are shown elsewhere.
	_ = os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
}

// Config is what an Endpoint needs.
type Config struct {
	// Conn is the socket. Pass a *net.UDPConn as it is: wrapped, it is slower.
	// The Endpoint owns it from Run to Run's return but does not close it.
	Conn net.PacketConn
	// Membership is this node's own at the moment, nil while it has none. Then
	// only the join protocol is answered, and Dial refuses.
	Membership func() *trust.Membership
	// Hello is what this node says about itself now. Node, Cluster and the version
	// window are filled in by the Endpoint.
	Hello func() wire.Hello
	// Admit may refuse a peer after its HELLO; its error is what the peer is told.
	// Nil admits every member.
	Admit func(Peer) error
	// OnSession handles a session that a peer dialled. It runs in its own
	// goroutine; when it returns, the session is closed. Nil closes every session.
	// Sessions that this side dialled belong to the caller of Dial.
	OnSession func(ctx context.Context, s *Session)
	// Join is for joining and admitting; nil refuses that protocol.
	Join *JoinConfig
	// Revoked reports nodes that were removed from the cluster; may be nil.
	Revoked func(task.NodeID) bool
	// Renewable reports members that are let in with a certificate out of its time,
	// so that they can renew it; see trust.Verifier. May be nil.
	Renewable func(id task.NodeID, ended time.Time) bool
	// Now is the system clock for judging certificates; nil is time.Now.
	Now func() time.Time
	// DialOnly makes an Endpoint that accepts nothing, for commands.
	DialOnly bool
	// ResetKey, kept by the node over restarts, lets its peers notice a restart at
	// once. Zero makes none.
	ResetKey [32]byte
	Limits   Limits
	Logger   *slog.Logger
}

// Endpoint is one node's place on the network: a socket on which it listens and
// from which it dials. All methods may be called from any goroutine.
type Endpoint struct {
	cfg      Config
	verifier *trust.Verifier
	door     *door
	joins    *joinDoor
	tr       *quic.Transport
	qconf    *quic.Config
	log      *slog.Logger

	ready chan struct{} // closed by Run when the transport may be used
	ended chan struct{} // closed by Run when it begins to end
	wg    sync.WaitGroup

	mu    sync.Mutex
	run   bool
	over  bool
	peers table
}

// New makes an Endpoint. It starts nothing; Run does.
func New(cfg Config) *Endpoint {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Membership == nil {
		cfg.Membership = func() *trust.Membership { return nil }
	}
	if cfg.Hello == nil {
		cfg.Hello = func() wire.Hello { return wire.Hello{Kind: wire.PeerNode} }
	}
	cfg.Limits = cfg.Limits.withDefaults()
	endpoint := &Endpoint{
		cfg:      cfg,
		verifier: &trust.Verifier{Membership: cfg.Membership, Revoked: cfg.Revoked, Renewable: cfg.Renewable, Now: cfg.Now},
		door:     &door{limits: cfg.Limits, refusals: &refusals{log: cfg.Logger}},
		joins:    newJoinDoor(),
		qconf:    cfg.Limits.quicConfig(),
		log:      cfg.Logger,
		ready:    make(chan struct{}),
		ended:    make(chan struct{}),
		peers:    newTable(),
	}
	endpoint.tr = &quic.Transport{
		Conn:                cfg.Conn,
		VerifySourceAddress: endpoint.door.prove,
		ConnContext:         endpoint.door.enter,
	}
	if cfg.ResetKey != [32]byte{} {
		key := quic.StatelessResetKey(cfg.ResetKey)
		endpoint.tr.StatelessResetKey = &key
	}
	return endpoint
}

// Addr is the socket's own address.
func (e *Endpoint) Addr() net.Addr { return e.cfg.Conn.LocalAddr() }

// Run accepts sessions until ctx ends, then closes every session, waits for
// their handlers, and returns once all goroutines of the Endpoint have. Shut
// sessions down before, if what they carry matters. It can run once.
func (e *Endpoint) Run(ctx context.Context) error {
	e.mu.Lock()
	if e.run {
		e.mu.Unlock()
		return errors.New("quicnet: an Endpoint runs only once")
	}
	e.run = true
	e.mu.Unlock()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var ln *quic.Listener
	if !e.cfg.DialOnly {
		var err error
		if ln, err = e.tr.Listen(e.verifier.Listen(e.joinTLS()), e.qconf); err != nil {
			e.end(nil)
			close(e.ready) // whoever waits learns that it is over
			return fmt.Errorf("listen on %s: %w", e.Addr(), err)
		}
	}
	close(e.ready)
	err := e.accept(ctx, ln)
	cancel()
	e.end(ln)
	return err
}

// accept hands connections to their goroutines until ctx ends or the socket
// fails.
func (e *Endpoint) accept(ctx context.Context, ln *quic.Listener) error {
	if ln == nil {
		<-ctx.Done()
		return nil
	}
	for {
		conn, err := ln.Accept(ctx)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // it was told to end
		case err != nil:
			return fmt.Errorf("accept on %s: %w", e.Addr(), err)
		}
		e.wg.Go(func() { e.serve(ctx, conn) })
	}
}

// end undoes Run: no new sessions, no old ones, no handlers, no transport.
func (e *Endpoint) end(ln *quic.Listener) {
	e.mu.Lock()
	e.over = true
	e.mu.Unlock()
	close(e.ended)
	if ln != nil {
		_ = ln.Close()
	}
	for _, s := range e.Sessions() {
		s.Close(CodeLeaving, "the node stops")
	}
	e.wg.Wait()
	_ = e.tr.Close()
}

// serve takes one accepted connection through HELLO and its handler.
func (e *Endpoint) serve(ctx context.Context, conn *quic.Conn) {
	switch alpn := conn.ConnectionState().TLS.NegotiatedProtocol; alpn {
	case trust.ALPNMember:
		session, err := e.welcome(ctx, conn)
		if err != nil {
			markRecorded(conn)
			if ctx.Err() == nil {
				e.door.refusals.note(conn.RemoteAddr(), err)
			}
			return
		}
		if e.cfg.OnSession != nil {
			e.cfg.OnSession(ctx, session)
		}
		session.Close(CodeLeaving, "")
	case trust.ALPNJoin:
		e.serveJoin(ctx, conn)
	default:
		_ = conn.CloseWithError(quic.ApplicationErrorCode(CodeProtocol), "no such protocol")
	}
}

// Sessions lists the sessions that stand, in no order.
func (e *Endpoint) Sessions() []*Session {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.peers.all()
}

// Session is the session with a node, if there is one. Sessions of clients are
// not found here.
func (e *Endpoint) Session(id task.NodeID) (*Session, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.peers.nodes[id]
	return s, s != nil
}

// Expel closes every session of a node that was removed from the cluster.
func (e *Endpoint) Expel(id task.NodeID) {
	for _, s := range e.Sessions() {
		if s.peer.ID == id {
			s.Close(CodeRemoved, "removed from the cluster")
		}
	}
}

// ReadNonQUIC reads the next packet that is not QUIC's: answers to probes that
// were sent with WriteTo. One goroutine at a time.
func (e *Endpoint) ReadNonQUIC(ctx context.Context, b []byte) (int, net.Addr, error) {
	if err := e.usable(ctx); err != nil {
		return 0, nil, err
	}
	return e.tr.ReadNonQUICPacket(ctx, b)
}

// WriteTo sends a packet that is not QUIC's from the Endpoint's socket. Its first
// byte must be 0.
func (e *Endpoint) WriteTo(ctx context.Context, b []byte, addr net.Addr) error {
	if err := e.usable(ctx); err != nil {
		return err
	}
	_, err := e.tr.WriteTo(b, addr)
	return err
}

// usable waits until Run has set the transport up.
func (e *Endpoint) usable(ctx context.Context) error {
	select {
	case <-e.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-e.ended:
		return task.Errorf(task.KindUnavailable, "this node stops")
	default:
		return nil
	}
}

// hello is what this node says about itself as the member m.
func (e *Endpoint) hello(m *trust.Membership) wire.Hello {
	h := e.cfg.Hello()
	if h.Min == 0 {
		h.Min, h.Max = wire.MinVersion, wire.MaxVersion
	}
	h.Node, h.Cluster = m.ID(), m.ClusterID()
	if h.Kind == "" {
		h.Kind = wire.PeerNode
	}
	return h
}
