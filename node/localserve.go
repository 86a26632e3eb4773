package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/adauldev/octaskly/node/client"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/home"
	"github.com/adauldev/octaskly/node/local"
	"github.com/adauldev/octaskly/node/member"
	"github.com/adauldev/octaskly/node/remote"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// listenLocal takes the node's local socket.
func (n *Node) listenLocal() (*local.Listener, error) {
	key, err := home.LoadKey(n.opt.Paths)
	if err != nil {
		return nil, err
	}
	l, err := local.Listen(local.Place{Runtime: n.opt.Paths.Runtime, Dir: n.slot.Path(), N: n.slot.Number}, key)
	if err == nil {
		if err := home.NoteSocket(n.slot.Path(), l.Address()); err != nil {
			n.log.Warn("programs of another login may not find this node", "error", err)
		}
	}
	return l, err
}

// serveLocal answers programs of this user on this machine until ctx ends.
func (n *Node) serveLocal(ctx context.Context, l *local.Listener) {
	err := l.Run(ctx, func(ctx context.Context, p local.Purpose, s wire.Stream, who local.Peer) {
		switch p {
		case local.Join:
			_ = local.ServeEnrol(ctx, s, n.enrolLocal)
		case local.Ask:
			_ = remote.Serve(ctx, s, n.localService(who.User))
		}
	})
	if err != nil && ctx.Err() == nil {
		n.log.Error("the local socket ended", "error", err)
	}
}

// localService answers a program of a user of this machine. It may ask
// everything: the node is that user's own.
func (n *Node) localService(uid string) remote.Service {
	return remote.Service{
		Identify: func(user string) (task.Principal, error) {
			if user != "" {
				return "", task.Errorf(task.KindNotAllowed, "a program cannot ask on behalf of another user")
			}
			return n.localUser(uid), nil
		},
		Caller:  n.callerFor,
		Allowed: func(*control.Method) error { return nil },
	}
}

// enrolLocal makes a node of the same user a member of the cluster that this
// node dispatches in.
func (n *Node) enrolLocal(ctx context.Context, e wire.Enrol) (wire.Enrolled, error) {
	l := n.leads()
	if l == nil {
		return wire.Enrolled{}, control.NoDispatcher()
	}
	return l.members.EnrolLocal(ctx, e)
}

// enrolHere asks the nodes of this user on this machine for the dispatcher, and
// becomes a member of its cluster if this node is none.
func (n *Node) enrolHere(ctx context.Context) (wire.Enrolled, error) {
	if n.opt.Private {
		return wire.Enrolled{}, control.NoDispatcher()
	}
	key, err := home.LoadKey(n.opt.Paths)
	if err != nil {
		return wire.Enrolled{}, err
	}
	pub := n.id.Public()
	ask := wire.Enrol{PublicKey: pub, Name: n.Name(), Roles: []task.Role{task.RoleWorker}, Proof: n.id.Sign(member.EnrolMessage(pub, n.Name()))}
	last := control.NoDispatcher()
	for _, a := range home.Sockets(n.opt.Paths) {
		if a.N == n.slot.Number && a.N != 0 {
			continue
		}
		at, err := n.enrolAt(ctx, a, key, ask)
		if err == nil {
			return at, nil
		}
		if task.KindOf(err) != task.KindNoDispatcher {
			last = err
		}
	}
	return wire.Enrolled{}, last
}

func (n *Node) enrolAt(ctx context.Context, a local.Address, key local.Key, ask wire.Enrol) (wire.Enrolled, error) {
	ctx, cancel := context.WithTimeout(ctx, client.AnswerTime)
	defer cancel()
	at, err := local.Enrol(ctx, a.Path, key, ask)
	if err != nil {
		return at, err
	}
	if len(at.Certificates) < 2 {
		return at, errors.New("the dispatcher sent no certificate")
	}
	if m := n.membership.Load(); m != nil {
		if m.ClusterID() != at.Cluster {
			return at, task.Errorf(task.KindConflict, "this node belongs to the cluster %.8s, and the dispatcher on this machine has the cluster %.8s", m.ClusterID(), at.Cluster).
				WithHint("give this node a directory of its own with --node-dir, or remove %s", n.slot.Path())
		}
		if !m.RenewalDue(time.Now()) {
			return at, nil
		}
	}
	last := len(at.Certificates) - 1
	m, err := trust.NewMembership(n.id, at.Certificates[last], at.Certificates[:last]...)
	if err != nil {
		return at, fmt.Errorf("the certificate from the dispatcher: %w", err)
	}
	if err := n.setMembership(m); err != nil {
		return at, err
	}
	n.setName(at.Name)
	n.log.Info("member of the cluster", "cluster", at.Cluster[:8], "as", at.Name)
	return at, nil
}

// otherDispatcher is the name of another node of this user on this machine that
// dispatches.
func (n *Node) otherDispatcher(ctx context.Context) (string, bool) {
	if n.opt.Private {
		return "", false
	}
	return client.DispatcherHere(ctx, n.opt.Paths, n.slot.Number)
}
