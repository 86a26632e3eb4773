package node

import (
	"context"
	"sync"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/dispatch"
	"github.com/adauldev/octaskly/node/remote"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// serveSession hands the streams that a peer opens to the role that they are
// for, until the session ends.
func (n *Node) serveSession(ctx context.Context, s *quicnet.Session) {
	p := s.Peer()
	n.log.Debug("session", "peer", p.Name, "id", p.ID.Short(), "addr", p.Addr)
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for {
		kind, st, err := s.Accept(ctx)
		if err != nil {
			return
		}
		wg.Go(func() { n.serveStream(ctx, s, kind, st) })
	}
}

func (n *Node) serveStream(ctx context.Context, s *quicnet.Session, kind wire.StreamKind, st *quicnet.Stream) {
	defer st.Close()
	p := s.Peer()
	err := n.route(ctx, s, kind, st)
	if err != nil && ctx.Err() == nil && s.Err() == nil {
		n.log.Debug("stream ended", "peer", p.Name, "kind", kind.String(), "error", err)
	}
}

func (n *Node) route(ctx context.Context, s *quicnet.Session, kind wire.StreamKind, st wire.Stream) error {
	p := s.Peer()
	if need := roleFor(kind); need != "" && !p.May(need) {
		return n.forbid(p, st, kind)
	}
	select {
	case <-n.settled:
	case <-ctx.Done():
		return ctx.Err()
	}
	l := n.leads()
	switch kind {
	case wire.StreamRPC:
		return remote.Serve(ctx, st, n.peerService(p))
	case wire.StreamWork, wire.StreamOutput, wire.StreamBlob:
		if l == nil {
			_ = st.Send(wire.FaultOf(task.Errorf(task.KindNoDispatcher, "node %s does not dispatch", n.Name())))
			return st.CloseWrite()
		}
	}
	if kind == wire.StreamPeers {
		return n.peers.Serve(p, st)
	}
	peer := dispatch.Peer{ID: p.ID, Addr: p.Addr.String(), RTT: func() time.Duration { return s.RTT() }}
	switch kind {
	case wire.StreamWork:
		return l.disp.ServeWork(ctx, peer, st)
	case wire.StreamOutput:
		return l.disp.ServeOutput(ctx, peer, st)
	case wire.StreamBlob:
		return n.blobs.Serve(ctx, st)
	}
	return n.forbid(p, st, kind)
}

// peerService answers a peer as far as its certificate allows.
func (n *Node) peerService(p quicnet.Peer) remote.Service {
	return remote.Service{
		Identify: func(user string) (task.Principal, error) { return control.PrincipalOf(user, p.ID) },
		Caller:   n.callerFor,
		Allowed:  func(m *control.Method) error { return m.Allowed(p.Roles) },
	}
}

// forbid tells a peer that its certificate does not allow what it tries, and
// keeps a record of it.
func (n *Node) forbid(p quicnet.Peer, st wire.Stream, kind wire.StreamKind) error {
	n.log.Warn("audit: refused", "peer", p.Name, "id", string(p.ID), "roles", p.Roles, "stream", kind.String())
	err := task.Errorf(task.KindNotAllowed, "the certificate of node %s does not allow this", p.Name)
	_ = st.Send(wire.FaultOf(err))
	_ = st.CloseWrite()
	return err
}

// roleFor is the role that a peer needs for a stream; rpc streams are judged
// call by call.
func roleFor(k wire.StreamKind) task.Role {
	switch k {
	case wire.StreamWork, wire.StreamOutput, wire.StreamBlob:
		return task.RoleWorker
	}
	return ""
}
