package quicnet

import (
	"time"

	quic "github.com/quic-go/quic-go"
)

// Limits bound what a peer may cost. A zero field takes its default.
type Limits struct {
	Unauthenticated int           // connections without HELLO, all together; default 256
	PerSource       int           // of them from one address, loopback excepted; default 16
	FreeHandshakes  int           // handshakes a second before addresses must be proved; default 64
	Handshake       time.Duration // for the TLS handshake, and again for HELLO; default 5 s
	Streams         int64         // open at once by a peer in a session; default 256
	KeepAlive       time.Duration // default 3 s
	Idle            time.Duration // a silent peer is gone after this; default 10 s
}

const (
	defaultUnauthenticated = 256
	defaultPerSource       = 16
	defaultFreeHandshakes  = 64
	defaultHandshake       = 5 * time.Second
	defaultStreams         = 256
	defaultKeepAlive       = 3 * time.Second
	defaultIdle            = 10 * time.Second
)

// Windows: what a peer may have sent and nobody has read. Before HELLO the
// connection's does not grow. A stream that is left unread takes its part of the
// connection's for as long, so it must stay much smaller than that, or one stuck
// reader would silence a whole session.
const (
	windowStream    = 64 << 10
	windowStreamMax = 1 << 20
	windowConn      = 512 << 10
	windowConnMax   = 16 << 20
)

func (l Limits) withDefaults() Limits {
	def(&l.Unauthenticated, defaultUnauthenticated)
	def(&l.PerSource, defaultPerSource)
	def(&l.FreeHandshakes, defaultFreeHandshakes)
	def(&l.Handshake, defaultHandshake)
	def(&l.Streams, defaultStreams)
	def(&l.KeepAlive, defaultKeepAlive)
	def(&l.Idle, defaultIdle)
	return l
}

func def[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// smallestPacket is the payload with which every session begins: what QUIC asks of
// any path. The transport's own default of 1280 needs a link with an MTU of 1308,
// which most tunnels have not. Larger packets are found by probing.
const smallestPacket = 1200

// quicConfig is the transport's side of the limits.
func (l Limits) quicConfig() *quic.Config {
	return &quic.Config{
		InitialPacketSize:              smallestPacket,
		HandshakeIdleTimeout:           l.Handshake,
		MaxIdleTimeout:                 l.Idle,
		KeepAlivePeriod:                l.KeepAlive,
		MaxIncomingStreams:             l.Streams,
		MaxIncomingUniStreams:          -1,
		InitialStreamReceiveWindow:     windowStream,
		InitialConnectionReceiveWindow: windowConn,
		MaxStreamReceiveWindow:         windowStreamMax,
		MaxConnectionReceiveWindow:     windowConnMax,
		AllowConnectionWindowIncrease: func(c *quic.Conn, _ uint64) bool {
			g, ok := c.Context().Value(gateKey{}).(*gate)
			return ok && g.open.Load()
		},
	}
}
