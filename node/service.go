package node

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/dispatch"
	"github.com/adauldev/octaskly/node/home"
	"github.com/adauldev/octaskly/node/peers"
	"github.com/adauldev/octaskly/node/problem"
	"github.com/adauldev/octaskly/node/remote"
	"github.com/adauldev/octaskly/queue/task"
)

// Control is the cluster as the person sees it to whom this node belongs.
func (n *Node) Control() control.Control {
	return control.Client{By: n.callerFor(n.owner())}
}

// owner is the user that this node runs as.
func (n *Node) owner() task.Principal { return n.localUser(userID()) }

// localUser is a user of this machine on this node.
func (n *Node) localUser(uid string) task.Principal {
	return task.Principal(control.UserOf(uid) + "@" + string(n.id.ID()))
}

// callerFor serves requests on behalf of who. Each is resolved when it comes,
// since the dispatcher may be another one than for the request before.
func (n *Node) callerFor(who task.Principal) control.Caller {
	return control.Direct(func(*control.Method) control.Control { return n.controlFor(who) })
}

// controlFor is the Control that serves who now: what concerns the cluster goes
// to the dispatcher, in this node or elsewhere; what concerns this node is
// answered here.
func (n *Node) controlFor(who task.Principal) control.Control {
	own := ownControl{node: n, who: who}
	if l := n.leads(); l != nil {
		return leaderControl{ownControl: own, Face: dispatch.Face{Dispatcher: l.disp, By: who}, leading: l}
	}
	user := control.UserAt(who, n.id.ID())
	return memberControl{ownControl: own, Client: n.dispatcher.For(user), snapshot: n.snapshot.For(user)}
}

// ownControl is what concerns this node, whoever dispatches.
type ownControl struct {
	node *Node
	who  task.Principal
}

var _ control.Admin = ownControl{}

func (c ownControl) Identity(context.Context) (control.Identity, error) {
	return c.node.identity(), nil
}

func (c ownControl) Stop(_ context.Context, now bool) error {
	c.node.mu.Lock()
	stop := c.node.stop
	c.node.mu.Unlock()
	stop(now)
	return nil
}

func (c ownControl) Offers(ctx context.Context) (control.OfferStream, error) {
	return c.node.consent.Watch(ctx), nil
}

func (c ownControl) Decide(_ context.Context, id uint64, yes bool) error {
	c.node.log.Info("audit: asked whether to join", "yes", yes, "by", string(c.who))
	return c.node.consent.Decide(id, yes)
}

// leaderControl serves while this node dispatches.
type leaderControl struct {
	ownControl
	dispatch.Face
	leading *leading
}

var _ control.Control = leaderControl{}

func (c leaderControl) PutBlob(_ context.Context, size int64, read func([]byte) (int, error)) (string, error) {
	return c.node.blobs.Put(readFunc(read), size)
}

type readFunc func([]byte) (int, error)

var _ io.Reader = readFunc(nil)

func (r readFunc) Read(p []byte) (int, error) { return r(p) }

func (c leaderControl) Promote(ctx context.Context, _ control.PromoteRequest) (control.Status, error) {
	return c.Status(ctx)
}

func (c leaderControl) Remove(ctx context.Context, node string) (control.Node, error) {
	id, err := c.NodeID(node)
	if err != nil {
		return control.Node{}, err
	}
	n := c.node
	if id == n.id.ID() {
		return control.Node{}, task.Errorf(task.KindConflict, "%s dispatches and cannot remove itself", node).
			WithHint("to end it: octaskly purge on that machine")
	}
	was, err := c.Node(id)
	if err != nil {
		return was, err
	}
	return was, c.leading.members.Remove(ctx, id, c.who)
}

func (c leaderControl) Invite(ctx context.Context, r control.InviteRequest) (control.Invite, error) {
	return c.leading.members.Invite(ctx, r, c.who)
}

func (c leaderControl) Admit(ctx context.Context, code, name string) (control.Node, error) {
	id, err := c.leading.members.Admit(ctx, c.node.peers.Applicants(), code, name, c.who)
	if err != nil {
		return control.Node{}, err
	}
	return c.Node(id)
}

// memberControl serves while another node dispatches, or none. What a person
// watches is asked without waiting for a dispatcher that was lost lately.
type memberControl struct {
	ownControl
	*remote.Client // waits for a dispatcher that was lost lately
	snapshot       *remote.Client
}

var _ control.Control = memberControl{}

// Nodes is what this node knows while nobody dispatches: itself, and what it has
// seen on the network.
func (c memberControl) Nodes(ctx context.Context) ([]control.Node, error) {
	nodes, err := c.snapshot.Nodes(ctx)
	if task.KindOf(err) != task.KindNoDispatcher {
		return nodes, err
	}
	n := c.node
	me := control.Node{ID: n.id.ID(), Name: n.Name(), State: control.NodeUp, Self: true, Version: n.opt.Version}
	if _, asks := n.pairingCode(); asks {
		me.State = control.NodeAsks
	}
	return append([]control.Node{me}, n.strangers()...), nil
}

// Status is what this node knows while nobody dispatches.
func (c memberControl) Status(ctx context.Context) (control.Status, error) {
	n := c.node
	s, err := c.snapshot.Status(ctx)
	switch {
	case err == nil:
		s.Problems = problem.Merge(s.Problems, n.peers.Problems())
	case task.KindOf(err) == task.KindNoDispatcher:
		s = control.Status{Cluster: n.identity().Cluster, Nodes: map[control.NodeState]int{}, Problems: problem.Merge([]control.Problem{n.noDispatcher()}, n.peers.Problems())}
	default:
		return s, err
	}
	s.Self = n.identity()
	return s, nil
}

func (c memberControl) Events(ctx context.Context, r control.EventsRequest) (control.EventStream, error) {
	return c.snapshot.Events(ctx, r)
}

func (c memberControl) Promote(ctx context.Context, r control.PromoteRequest) (control.Status, error) {
	turn, err := home.TakeTurn(c.node.opt.Paths.Cluster)
	if errors.Is(err, home.ErrBusy) {
		err = task.Errorf(task.KindConflict, "another node of this user is just becoming the dispatcher").WithHint("see which: octaskly status")
	}
	if err != nil {
		return control.Status{}, err
	}
	defer turn.End()
	if err := c.mayLead(ctx, r.Force); err != nil {
		return control.Status{}, err
	}
	if err := c.node.startLeading(ctx); err != nil {
		return control.Status{}, err
	}
	return c.node.controlFor(c.who).Status(ctx)
}

// mayLead refuses to dispatch beside another dispatcher or another queue.
func (c memberControl) mayLead(ctx context.Context, force bool) error {
	if s, err := c.snapshot.Status(ctx); err == nil && s.Dispatcher != "" {
		return task.Errorf(task.KindConflict, "node %s dispatches in this cluster", s.Dispatcher).
			WithHint("use it, or stop it first")
	}
	if name, ok := c.node.otherDispatcher(ctx); ok {
		return task.Errorf(task.KindConflict, "node %s of this user dispatches on this machine", name).
			WithHint("use it, or stop it first")
	}
	if dir := c.node.otherQueue(); dir != "" && !force {
		return task.Errorf(task.KindConflict, "this cluster has a queue already, in %s", dir).
			WithHint("start the node that has it: octaskly dispatcher\nto begin an empty queue and leave that one behind: octaskly promote --force")
	}
	return nil
}

// noDispatcher says why nobody dispatches, as far as this node knows.
func (n *Node) noDispatcher() control.Problem {
	p := control.Problem{ID: problem.NoDispatcher, Level: control.LevelWarning}
	err := n.up.none()
	switch {
	case task.KindOf(err) != task.KindNoDispatcher:
		p.Text, p.Cure = err.Error(), task.HintOf(err)
	case n.up.hadOne():
		p.Text, p.Cure = err.Error(), "see whether it runs; this node looks for it all the time"
	default:
		p.Text, p.Cure = "no dispatcher", "start one here: octaskly promote"
		p.Actions = []control.Action{{Method: control.PromoteMethod.Name}}
	}
	return p
}

// identity is who this node is.
func (n *Node) identity() control.Identity {
	id := control.Identity{ID: n.id.ID(), Name: n.Name(), Fingerprint: fingerprint(string(n.id.ID())), Version: n.opt.Version, Dir: n.slot.Path()}
	if m := n.membership.Load(); m != nil {
		id.Cluster, id.Roles = m.ClusterID(), m.Roles()
	}
	if n.conn != nil {
		id.Addrs = peers.Reachable(n.conn)
	}
	if c, ok := n.pairingCode(); ok {
		id.Code = c.Text()
	}
	return id
}

// fingerprint is a node id in groups of four, for comparing by eye.
func fingerprint(id string) string {
	var b strings.Builder
	for i := 0; i < len(id); i += 4 {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(id[i:min(i+4, len(id))])
	}
	return b.String()
}
