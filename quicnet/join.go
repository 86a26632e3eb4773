package quicnet

import (
	"context"

	quic "github.com/quic-go/quic-go"
)

// JoinConn is a connection on which somebody wants to become a member. It is not
// built yet: the protocol is refused.
type JoinConn struct{}

func (e *Endpoint) serveJoin(_ context.Context, conn *quic.Conn) {
	closeConn(conn, CodeRefused, "joining is not possible here")
}
