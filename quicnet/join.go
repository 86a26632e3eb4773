package quicnet

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	quic "github.com/quic-go/quic-go"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// How long a side waits in a join.
const (
	joinStep    = 15 * time.Second // for the next message; a slow machine needs seconds for a proof
	joinConfirm = 3 * time.Minute  // while a person may be asked
	joinAtOnce  = 32               // join connections that are served at the same time
	joinProving = 2                // proofs that are computed at the same time
	joinCodes   = 8                // short codes that one try is compared with
)

// JoinConfig is what an Endpoint needs to become a member, or to let others
// become one.
type JoinConfig struct {
	// Identity is this node's key.
	Identity *trust.Identity
	// Admitter lets others in; nil where this node cannot.
	Admitter func() Admitter
	// Applicant wants in; nil where this node is a member.
	Applicant func() Applicant
}

// Admitter is the cluster's side of joining, as a node supplies it.
type Admitter interface {
	// Cluster is the id of the cluster.
	Cluster() string
	// Codes are the short codes that are good at the moment, those included that
	// were used by a node which may ask again.
	Codes() []trust.Code
	// Invite is the long code with this public part.
	Invite(id string) (trust.Code, bool)
	// Redeem makes the candidate a member. It returns after the use of the code is
	// durable and not before. The same candidate may redeem the same code again,
	// after an answer was lost, and gets an equal membership.
	Redeem(ctx context.Context, code trust.Code, who Candidate) (wire.JoinGrant, error)
}

// Candidate is who wants to become a member. The key is proved, the name is a
// wish.
type Candidate struct {
	ID   task.NodeID
	Key  ed25519.PublicKey
	Name string
	Addr net.Addr
}

// Applicant is the joining side, as a node supplies it, when the other side
// dials.
type Applicant interface {
	// Code is what this node shows at the moment.
	Code() (trust.Code, bool)
	// Confirm asks whoever has to agree that this cluster may run commands here.
	Confirm(ctx context.Context, from Offer) error
	// Joined keeps the membership; an error makes the join fail.
	Joined(m *trust.Membership, g wire.JoinGrant) error
}

// Offer is a cluster that has proved that it knows the code.
type Offer struct {
	Cluster string
	Node    task.NodeID // that dials
	Name    string
	Addr    net.Addr
}

// ErrWrongCode says that the other side does not know the code. Nothing was
// used up by it.
var ErrWrongCode = errors.New("the code is not right there")

// joinDoor bounds what joining may cost.
type joinDoor struct {
	slots   chan struct{} // connections
	provers chan struct{}

	mu    sync.Mutex
	tries trust.Tries
}

func newJoinDoor() *joinDoor {
	return &joinDoor{slots: make(chan struct{}, joinAtOnce), provers: make(chan struct{}, joinProving)}
}

// joinTLS is what strangers are answered with, nil where joining is impossible.
func (e *Endpoint) joinTLS() *tls.Config {
	if e.cfg.Join == nil {
		return nil
	}
	c, err := trust.JoinTLS(e.cfg.Join.Identity)
	if err != nil {
		e.log.Error("joining is not possible", "error", err)
		return nil
	}
	return c
}

// joint is one join connection: a stream and what the proofs are bound to.
type joint struct {
	e    *Endpoint
	conn *quic.Conn
	st   *Stream
	side trust.JoinSide // of this end
	key  ed25519.PublicKey
	peer ed25519.PublicKey
	bind trust.JoinBinding
}

func (e *Endpoint) newJoint(conn *quic.Conn, st *Stream) (*joint, error) {
	state := conn.ConnectionState().TLS
	peer, err := trust.JoinPeer(state)
	if err != nil {
		return nil, err
	}
	j := &joint{e: e, conn: conn, st: st, key: e.cfg.Join.Identity.Public(), peer: peer}
	if j.key.Equal(peer) {
		return nil, task.Errorf(task.KindUsage, "this is the node itself")
	}
	j.bind.Exporter, err = trust.ExportJoin(state)
	return j, err
}

// takeSide fixes which end is the joiner, and what both have said so far: the
// bodies as they were sent, with fields that only one side may know.
func (j *joint) takeSide(side trust.JoinSide, cluster string, open, ready []byte) {
	j.side = side
	j.bind.Joiner, j.bind.Admitter, j.bind.Cluster = j.peer, j.key, cluster
	if side == trust.Joiner {
		j.bind.Joiner, j.bind.Admitter = j.key, j.peer
	}
	j.bind.Transcript = binary.BigEndian.AppendUint32(nil, uint32(len(open)))
	j.bind.Transcript = append(append(j.bind.Transcript, open...), ready...)
}

// send sends a message and returns its body as it goes over the wire; first goes
// before it.
func (j *joint) send(first []byte, m wire.Message) (body []byte, err error) {
	out, err := wire.Append(first, m)
	if err != nil {
		return nil, err
	}
	_, err = j.st.Write(out)
	return out[len(first)+frameHead:], err
}

// frameHead is the length and the kind in front of a body.
const frameHead = 5

// recv receives a message and keeps its body.
func recv[T wire.Message](st *Stream) (m T, body []byte, err error) {
	f, err := st.Recv()
	if err != nil {
		return m, nil, err
	}
	body = bytes.Clone(f.Body)
	err = wire.DecodeAs(f, &m)
	return m, body, err
}

// prove computes the proofs for a code, a few at a time.
func (j *joint) prove(ctx context.Context, c trust.Code) (trust.JoinProofs, error) {
	select {
	case j.e.joins.provers <- struct{}{}:
	case <-ctx.Done():
		return trust.JoinProofs{}, ctx.Err()
	}
	defer func() { <-j.e.joins.provers }()
	return trust.ProveJoin(c, j.bind)
}

// await bounds the next message in time.
func (j *joint) await(d time.Duration) {
	_ = j.st.q.SetDeadline(time.Now().Add(d))
}

func (j *joint) peerID() task.NodeID {
	id, _ := trust.NodeIDOf(j.peer)
	return id
}

// admitPeer is the admitter's part after both sides have proved.
func (j *joint) admitPeer(ctx context.Context, admitter Admitter, code trust.Code) (Candidate, error) {
	j.await(joinConfirm)
	req, err := wire.Recv1[wire.JoinRequest](j.st)
	if err != nil {
		return Candidate{}, err
	}
	who := Candidate{ID: j.peerID(), Key: j.peer, Name: req.Name, Addr: j.conn.RemoteAddr()}
	if !wire.Readable(req.Name) {
		return who, task.Errorf(task.KindUsage, "the name of the joining node is not readable")
	}
	grant, err := admitter.Redeem(ctx, code, who)
	if err != nil {
		return who, err
	}
	j.await(joinStep)
	if err := j.st.Send(grant); err != nil {
		return who, err
	}
	if _, err := wire.Recv1[wire.JoinDone](j.st); err != nil {
		return who, fmt.Errorf("%s became a member but did not say that it knows: %w", who.ID.Short(), err)
	}
	return who, nil
}

// enter is the joiner's part after both sides have proved. keep may be nil.
func (j *joint) enter(name string, keep func(*trust.Membership, wire.JoinGrant) error) (*trust.Membership, wire.JoinGrant, error) {
	j.await(joinConfirm)
	if err := j.st.Send(wire.JoinRequest{Name: name}); err != nil {
		return nil, wire.JoinGrant{}, err
	}
	grant, err := wire.Recv1[wire.JoinGrant](j.st)
	if err != nil {
		return nil, grant, err
	}
	membership, err := trust.NewMembership(j.e.cfg.Join.Identity, grant.Root, grant.Chain...)
	switch {
	case err != nil:
		return nil, grant, fmt.Errorf("the membership that was sent: %w", err)
	case membership.ClusterID() != j.bind.Cluster:
		return nil, grant, task.Errorf(task.KindNotAllowed, "the membership that was sent is for another cluster than was offered")
	}
	if keep != nil {
		if err := keep(membership, grant); err != nil {
			return nil, grant, err
		}
	}
	j.await(joinStep)
	if err := j.st.Send(wire.JoinDone{}); err != nil {
		j.e.log.Debug("joined, but the other side does not know", "error", err)
	}
	return membership, grant, nil
}

// finish ends a join connection so that the last message arrives: the accepting
// side waits for the dialler to close.
func (j *joint) finish(ctx context.Context) {
	_ = j.st.CloseWrite()
	ctx, cancel := context.WithTimeout(ctx, joinStep)
	defer cancel()
	select {
	case <-j.conn.Context().Done():
	case <-ctx.Done():
	}
	closeConn(j.conn, CodeLeaving, "")
}
