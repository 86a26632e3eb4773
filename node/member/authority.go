// Package member is the one place where somebody becomes a member of the cluster,
// is renewed, and ceases to be one: by an invite, by a code that a node shows, or
// as a node of the dispatcher's own user.
package member

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Options are what an Authority is made of. All are required but Absent, and
// Endpoint where there is no network.
type Options struct {
	CA         *trust.CA
	Queue      *queue.Queue // holds the members, the invites and who was removed
	Self       task.NodeID  // of the node that dispatches
	Endpoint   *quicnet.Endpoint
	Now        func() time.Time // by which certificates are given
	Reachable  func() []string  // where other machines reach the dispatcher
	OnLoopback func() []string  // and nodes on this one
	Absent     time.Duration    // how long nobody could renew: the dispatcher's own certificate had ended
	Logger     *slog.Logger
}

// Authority decides who is a member while its node dispatches. It is safe for
// concurrent use.
type Authority struct {
	opt   Options
	codes codes
}

// New makes an Authority.
func New(opt Options) *Authority { return &Authority{opt: opt} }

// ClusterID is the cluster that members belong to.
func (a *Authority) ClusterID() string { return a.opt.CA.ClusterID() }

// enter stores a member, under another name if this one is taken, and then issues
// its certificate: who has one is in the queue.
func (a *Authority) enter(ctx context.Context, m queue.Member, key []byte) (queue.Member, []byte, error) {
	m.Joined = time.Now().UnixMilli()
	stored, err := a.opt.Queue.PutMember(m).Wait(ctx)
	if err != nil {
		return m, nil, err
	}
	leaf, err := a.opt.CA.Issue(key, stored.Roles, a.opt.Now())
	return stored, leaf, err
}

// Found makes the node that dispatches a member of its own cluster, and returns the
// name that it has there.
func (a *Authority) Found(ctx context.Context, name string, roles []task.Role) (string, error) {
	m := queue.Member{ID: a.opt.Self, Name: name, Roles: roles, Joined: time.Now().UnixMilli(), By: "created the cluster"}
	stored, err := a.opt.Queue.PutMember(m).Wait(ctx)
	if err != nil {
		return "", fmt.Errorf("enter this node as a member: %w", err)
	}
	return stored.Name, nil
}

// sameUser is by whom the nodes of the dispatcher's own user are members.
const sameUser = "the same user on this machine"

// EnrolLocal makes a node of the same user on this machine a member. It has to
// prove that its key is its own (see EnrolMessage).
func (a *Authority) EnrolLocal(ctx context.Context, e wire.Enrol) (wire.Enrolled, error) {
	if len(e.PublicKey) != ed25519.PublicKeySize || !ed25519.Verify(e.PublicKey, EnrolMessage(e.PublicKey, e.Name), e.Proof) {
		return wire.Enrolled{}, task.Errorf(task.KindNotAllowed, "the key of the node that asks is not its own")
	}
	id, err := trust.NodeIDOf(e.PublicKey)
	if err != nil {
		return wire.Enrolled{}, err
	}
	roles := []task.Role{task.RoleWorker, task.RoleClient, task.RoleAdmin}
	m, leaf, err := a.enter(ctx, queue.Member{ID: id, Name: e.Name, Roles: roles, By: sameUser}, e.PublicKey)
	if err != nil {
		return wire.Enrolled{}, err
	}
	a.opt.Logger.Info("audit: member", "node", m.Name, "id", string(id), "roles", roles, "by", sameUser)
	return wire.Enrolled{
		Cluster: a.ClusterID(), Certificates: [][]byte{leaf, a.opt.CA.Root()}, Name: m.Name,
		Dispatcher: string(a.opt.Self), Addrs: a.opt.OnLoopback(),
	}, nil
}

// EnrolMessage is what the owner of a key signs to show that it is its own.
func EnrolMessage(pub []byte, name string) []byte {
	return append(append([]byte("octaskly enrol\x00"), pub...), name...)
}

// Renew issues a new certificate, with the roles that the queue has, for a
// member that has proved its key by its session.
func (a *Authority) Renew(id task.NodeID, key []byte) ([][]byte, error) {
	if of, err := trust.NodeIDOf(key); err != nil || of != id {
		return nil, task.Errorf(task.KindNotAllowed, "the key to renew is not that of the node that asks")
	}
	m, ok := a.find(id)
	if !ok {
		return nil, task.Errorf(task.KindNotAllowed, "the node that asks is no member")
	}
	leaf, err := a.opt.CA.Issue(key, m.Roles, a.opt.Now())
	if err != nil {
		return nil, err
	}
	a.opt.Logger.Info("audit: membership renewed", "node", m.Name, "id", string(id), "roles", m.Roles)
	return [][]byte{leaf}, nil
}

// Renewable reports whether a member may renew a certificate that is out of its time.
// ended is when it expired, or will.
func (a *Authority) Renewable(id task.NodeID, ended time.Time) bool {
	_, member := a.find(id)
	return member && a.opt.Now().Sub(ended) < trust.RenewGrace+a.opt.Absent
}

func (a *Authority) find(id task.NodeID) (queue.Member, bool) {
	members := a.opt.Queue.Members()
	if i := slices.IndexFunc(members, func(m queue.Member) bool { return m.ID == id }); i >= 0 {
		return members[i], true
	}
	return queue.Member{}, false
}

// Remove revokes a membership, and ends the sessions of who had it.
func (a *Authority) Remove(ctx context.Context, id task.NodeID, by task.Principal) error {
	m, err := a.opt.Queue.RemoveMember(id, string(by)).Wait(ctx)
	if err != nil {
		return err
	}
	a.opt.Logger.Warn("audit: member removed", "node", m.Name, "id", string(id), "by", string(by))
	if a.opt.Endpoint != nil {
		a.opt.Endpoint.Expel(id)
	}
	return nil
}

// Revoked reports whether a node was removed from the cluster.
func (a *Authority) Revoked(id task.NodeID) bool {
	return slices.ContainsFunc(a.opt.Queue.Revocations(), func(r queue.Revocation) bool { return r.ID == id })
}
