package node

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/home"
	"github.com/adauldev/octaskly/node/member"
	"github.com/adauldev/octaskly/node/peers"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// pairing is the code that a node shows while it is no member.
type pairing struct {
	mu   sync.Mutex
	code trust.Code
	ends time.Time
}

// applicant is this node's side of joining when a dispatcher dials it.
type applicant struct{ n *Node }

var _ quicnet.Applicant = applicant{}

// Code is always good for a while: it is renewed before it expires.
func (a applicant) Code() (trust.Code, bool) { return a.n.pairingCode() }

func (n *Node) pairingCode() (trust.Code, bool) {
	if n.membership.Load() != nil || n.opt.Private || n.opt.Role == task.RoleDispatcher {
		return trust.Code{}, false
	}
	c, fresh, err := n.pair.current(time.Now())
	if err != nil {
		n.log.Error("make a pairing code", "error", err)
		return trust.Code{}, false
	}
	if !fresh {
		return c, true
	}
	if err := home.NoteCode(n.slot.Path(), c.Text()); err != nil {
		n.log.Warn("the pairing code is only shown", "error", err)
	}
	return c, true
}

// renewBefore is how long before its end a code is replaced, so that whoever
// reads it has the time to type it.
const renewBefore = time.Minute

// current is the code of the moment, and whether it was made just now.
func (p *pairing) current(now time.Time) (c trust.Code, fresh bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.code.Zero() && now.Before(p.ends.Add(-renewBefore)) {
		return p.code, false, nil
	}
	if c, err = trust.NewCode(); err != nil {
		return trust.Code{}, false, err
	}
	p.code, p.ends = c, now.Add(member.ShortLife)
	return c, true, nil
}

// How long a node tries to become a member without anybody before it shows its
// code, and how often it looks whether there is a new one.
const (
	showAfter = 2 * time.Second
	showEvery = 5 * time.Second
)

// showCode keeps the code of the moment before a person's eyes while this node is
// no member, until ctx ends.
func (n *Node) showCode(ctx context.Context) {
	if n.opt.Join != "" {
		return
	}
	t := time.NewTimer(showAfter)
	defer t.Stop()
	for shown := (trust.Code{}); ; t.Reset(showEvery) {
		select {
		case <-ctx.Done():
			home.ForgetCode(n.slot.Path()) // nobody is let in by it any more
			return
		case <-t.C:
		}
		if c, ok := n.pairingCode(); ok && !c.Equal(shown) {
			shown = c
			if n.opt.ShowCode != nil {
				n.opt.ShowCode(c.Text())
			}
		}
	}
}

// Confirm lets whoever typed the code that this node shows have it, if the
// person at its screen agrees.
func (a applicant) Confirm(ctx context.Context, from quicnet.Offer) error {
	if err := a.n.consent.Confirm(ctx, from); err != nil {
		return err
	}
	a.n.log.Warn("audit: let into a cluster that may now run commands here", "cluster", control.ShortCluster(from.Cluster), "by", from.Name, "addr", from.Addr)
	return nil
}

func (a applicant) Joined(m *trust.Membership, g wire.JoinGrant) error { return a.n.joined(m, g) }

// joined keeps a membership that was just given.
func (n *Node) joined(m *trust.Membership, g wire.JoinGrant) error {
	if old := n.membership.Load(); old != nil && old.ClusterID() != m.ClusterID() && !old.Ended(time.Now()) {
		return task.Errorf(task.KindConflict, "this node belongs to another cluster already")
	}
	if err := n.setMembership(m); err != nil {
		return err
	}
	home.ForgetCode(n.slot.Path())
	if g.Name != "" {
		n.setName(g.Name)
	}
	n.peers.Remember(g.Dispatcher, g.Addrs)
	n.log.Info("member of the cluster", "cluster", control.ShortCluster(m.ClusterID()), "as", n.Name())
	return nil
}

// applicant is this node's side of joining while it is no member.
func (n *Node) applicant() quicnet.Applicant {
	if n.membership.Load() != nil {
		return nil
	}
	return applicant{n}
}

// becomeMember uses the code that this node was given, if any.
func (n *Node) becomeMember(ctx context.Context, places []peers.Place) error {
	if n.opt.Join == "" {
		return task.Errorf(task.KindNotAllowed, "this node is not a member of a cluster yet").
			WithHint("let it in where the dispatcher is: octaskly nodes admit CODE\nthe code: octaskly identity")
	}
	code, err := trust.ParseCode(n.opt.Join)
	if err != nil {
		return err
	}
	return n.joinWith(ctx, code, places)
}

// joinWith becomes a member with a code, at the first place where it is good. A
// node that has said no is not asked again at its other addresses.
func (n *Node) joinWith(ctx context.Context, code trust.Code, places []peers.Place) error {
	if len(places) == 0 {
		return task.Errorf(task.KindNoDispatcher, "no dispatcher was found to join").
			WithHint("name its address with --dispatcher HOST")
	}
	var all []error
	said := map[task.NodeID]bool{}
	for _, p := range places {
		if p.ID != "" && said[p.ID] {
			continue
		}
		_, _, err := n.ep.Join(ctx, p.Addr, code, n.joined)
		if err == nil {
			return nil
		}
		said[p.ID] = task.KindOf(err) == task.KindNotAllowed
		if !slices.ContainsFunc(all, func(e error) bool { return e.Error() == err.Error() }) {
			all = append(all, err)
		}
	}
	if len(all) == 1 {
		return all[0]
	}
	return errors.Join(all...)
}
