package node

import (
	"context"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/trust"
)

// renew issues a new certificate, with the roles that the queue has, for a
// member that has proved its key by its session.
func (n *Node) renew(id task.NodeID, key []byte) ([][]byte, error) {
	l := n.leads()
	if l == nil {
		return nil, control.NoDispatcher()
	}
	if of, err := trust.NodeIDOf(key); err != nil || of != id {
		return nil, task.Errorf(task.KindNotAllowed, "the key to renew is not that of the node that asks")
	}
	for _, m := range l.queue.Members() {
		if m.ID != id {
			continue
		}
		leaf, err := l.ca.Issue(key, m.Roles, time.Now())
		if err != nil {
			return nil, err
		}
		n.log.Info("audit: membership renewed", "node", m.Name, "id", string(id), "roles", m.Roles)
		return [][]byte{leaf}, nil
	}
	return nil, task.Errorf(task.KindNotAllowed, "the node that asks is no member")
}

// renewalKey is this node's public key when its certificate should be renewed.
func (n *Node) renewalKey() []byte {
	if m := n.membership.Load(); m != nil && time.Now().After(m.RenewAt()) {
		return n.id.Public()
	}
	return nil
}

// renewed keeps a renewed certificate of the same cluster.
func (n *Node) renewed(chain [][]byte) {
	old := n.membership.Load()
	if old == nil {
		return
	}
	m, err := trust.NewMembership(n.id, old.Root(), chain...)
	if err == nil {
		err = n.setMembership(m)
	}
	if err != nil {
		n.log.Warn("the renewed membership could not be kept", "error", err)
		return
	}
	n.log.Info("membership renewed", "until", m.NotAfter())
}

// renewInTime ends a session when this node's certificate should be renewed: the
// next one asks for that.
func (n *Node) renewInTime(ctx context.Context, s *quicnet.Session) {
	m := n.membership.Load()
	if m == nil {
		return
	}
	left := time.Until(m.RenewAt())
	if left <= 0 {
		return // asked for already; once a session is enough
	}
	t := time.NewTimer(left)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
		s.Close(quicnet.CodeLeaving, "to renew the membership")
	}
}

// renewSelf keeps the dispatcher's own membership young until ctx ends.
func (n *Node) renewSelf(ctx context.Context) {
	t := time.NewTicker(time.Hour)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if _, err := n.authority(); err != nil {
			n.log.Error("this node's own membership could not be renewed", "error", err)
		}
	}
}
