package node

import (
	"context"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/trust"
)

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
