package node

import (
	"context"
	"slices"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue"
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
		leaf, err := l.ca.Issue(key, m.Roles, n.issueTime())
		if err != nil {
			return nil, err
		}
		n.log.Info("audit: membership renewed", "node", m.Name, "id", string(id), "roles", m.Roles)
		return [][]byte{leaf}, nil
	}
	return nil, task.Errorf(task.KindNotAllowed, "the node that asks is no member")
}

// issueTime is the moment by which this node gives certificates.
func (n *Node) issueTime() time.Time {
	if m := n.membership.Load(); m != nil {
		return m.Now(time.Now())
	}
	return time.Now()
}

// absence is how long ago this node's own certificate ended, or 0. The members of a
// cluster could not renew theirs for as long.
func (n *Node) absence() time.Duration {
	m := n.membership.Load()
	if m == nil || !m.Ended(time.Now()) {
		return 0
	}
	return time.Since(m.NotAfter())
}

// renewable reports whether a member may renew a certificate that is out of its time.
// ended is when it expired, or will.
func (n *Node) renewable(id task.NodeID, ended time.Time) bool {
	l := n.leads()
	return l != nil && n.issueTime().Sub(ended) < trust.RenewGrace+l.absent &&
		slices.ContainsFunc(l.queue.Members(), func(m queue.Member) bool { return m.ID == id })
}

// explainRefusal says why a member was refused, where its own certificate tells.
func explainRefusal(err error, m *trust.Membership, now time.Time) error {
	const day = "2 January 2006"
	switch {
	case m == nil || task.KindOf(err) != task.KindNotAllowed:
		return err
	case now.Before(m.NotBefore()):
		return task.Errorf(task.KindNotAllowed, "%w: this node's certificate begins on %s, after what its clock says", err, m.NotBefore().Format(day)).
			WithHint("set the clock of this machine: it is wrong, or was when the certificate was made")
	case m.Ended(now):
		return task.Errorf(task.KindNotAllowed, "%w: this node's membership ended on %s and can no longer be renewed", err, m.NotAfter().Format(day)).
			WithHint("let it in again: octaskly invite where the dispatcher is, then here octaskly join CODE")
	}
	return err
}

// renewalKey is this node's public key when its certificate should be renewed.
func (n *Node) renewalKey() []byte {
	if m := n.membership.Load(); m != nil && m.RenewalDue(time.Now()) {
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
	if m.RenewalDue(time.Now()) {
		return // asked for already; once a session is enough
	}
	t := time.NewTicker(renewalCheck)
	defer t.Stop()
	for !m.RenewalDue(time.Now()) {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
	s.Close(quicnet.CodeLeaving, "to renew the membership")
}

// renewalCheck is how often a node looks whether its certificate is to be renewed. A
// timer would not do: the clock may be set.
const renewalCheck = time.Minute

// renewSelf keeps the dispatcher's own membership young until ctx ends.
func (n *Node) renewSelf(ctx context.Context) {
	t := time.NewTicker(renewalCheck)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if m := n.membership.Load(); m != nil && !m.RenewalDue(time.Now()) {
			continue
		}
		if _, err := n.authority(); err != nil {
			n.log.Error("this node's own membership could not be renewed", "error", err)
		}
	}
}
