package quicnet

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	quic "github.com/quic-go/quic-go"
)

// gate is shut while a connection has not been admitted by HELLO. It travels in
// the connection's context.
type gate struct{ open atomic.Bool }

type gateKey struct{}

func withGate(ctx context.Context) (context.Context, *gate) {
	g := &gate{}
	return context.WithValue(ctx, gateKey{}, g), g
}

// door counts the connections that have not been admitted yet and turns away
// those beyond the limits.
type door struct {
	limits   Limits
	refusals *refusals

	mu      sync.Mutex
	total   int
	sources map[netip.Addr]int
	second  int64 // the second that fresh counts in
	fresh   int
}

var errFull = errors.New("too many connections that have not said who they are")

// enter is quic.Transport.ConnContext: it admits a connection attempt to the
// handshake, or not.
func (d *door) enter(ctx context.Context, info *quic.ClientInfo) (context.Context, error) {
	src := sourceOf(info.RemoteAddr)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.total >= d.limits.Unauthenticated || (!src.IsLoopback() && d.sources[src] >= d.limits.PerSource) {
		return nil, errFull
	}
	if d.sources == nil {
		d.sources = make(map[netip.Addr]int)
	}
	d.total++
	d.sources[src]++
	ctx, g := withGate(ctx)
	ticket := &ticket{door: d, source: src, gate: g}
	ctx = context.WithValue(ctx, ticketKey{}, ticket)
	context.AfterFunc(ctx, func() {
		ticket.leave()
		if !g.open.Load() && !ticket.recorded.Load() {
			d.refusals.note(info.RemoteAddr, errNoMember)
		}
	})
	return ctx, nil
}

// prove is quic.Transport.VerifySourceAddress: under load, who dials must first
// show that the address is its own. One more round trip, no state here.
func (d *door) prove(net.Addr) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := time.Now().Unix(); now != d.second {
		d.second, d.fresh = now, 0
	}
	d.fresh++
	return d.fresh > d.limits.FreeHandshakes || d.total > d.limits.Unauthenticated/2
}

// ticket is a connection's place among the unauthenticated. It is given back
// once, at admission or at the end of the connection.
type ticket struct {
	door     *door
	source   netip.Addr
	gate     *gate
	once     sync.Once
	recorded atomic.Bool // its end needs no record, or has one
}

type ticketKey struct{}

func (t *ticket) leave() {
	t.once.Do(func() {
		t.door.mu.Lock()
		defer t.door.mu.Unlock()
		t.door.total--
		if t.door.sources[t.source]--; t.door.sources[t.source] <= 0 {
			delete(t.door.sources, t.source)
		}
	})
}

// admit opens the gate of a connection that has proved who it is.
func admit(c *quic.Conn) {
	if t, ok := c.Context().Value(ticketKey{}).(*ticket); ok {
		t.leave()
	}
	if g, ok := c.Context().Value(gateKey{}).(*gate); ok {
		g.open.Store(true)
	}
}

// markRecorded says that the end of a connection needs no record any more.
func markRecorded(c *quic.Conn) {
	if t, ok := c.Context().Value(ticketKey{}).(*ticket); ok {
		t.recorded.Store(true)
	}
}

func sourceOf(a net.Addr) netip.Addr {
	if u, ok := a.(*net.UDPAddr); ok {
		return u.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
