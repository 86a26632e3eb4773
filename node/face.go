package node

import (
	"context"
	"fmt"
	"strings"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/dispatch"
	"github.com/adauldev/octaskly/node/remote"
	"github.com/adauldev/octaskly/queue/task"
)

// face is the cluster as one caller sees it through this node: what concerns
// the cluster goes to the dispatcher, wherever it is; what concerns this node
// is answered here.
type face struct {
	n   *Node
	who task.Principal
}

var (
	_ control.Control   = face{}
	_ remote.Principals = face{}
)

// Control is the cluster as the person sees it to whom this node belongs.
func (n *Node) Control() control.Control { return face{n: n, who: localPrincipal()} }

// As implements remote.Principals.
func (f face) As(who task.Principal) control.Control { return face{n: f.n, who: who} }

// here is the dispatcher in this node, if it is here.
func (f face) here() (dispatch.Face, *leading, bool) {
	l := f.n.leads()
	if l == nil {
		return dispatch.Face{}, nil, false
	}
	return dispatch.Face{Dispatcher: l.disp, By: f.who}, l, true
}

// Submit implements control.Tasks.
func (f face) Submit(ctx context.Context, r control.SubmitRequest) (control.SubmitReply, error) {
	if d, _, ok := f.here(); ok {
		return d.Submit(ctx, r)
	}
	return f.n.forward.Submit(ctx, r)
}

// Get implements control.Tasks.
func (f face) Get(ctx context.Context, id task.ID) (task.Task, error) {
	if d, _, ok := f.here(); ok {
		return d.Get(ctx, id)
	}
	return f.n.forward.Get(ctx, id)
}

// List implements control.Tasks.
func (f face) List(ctx context.Context, q control.Query) (control.Page, error) {
	if d, _, ok := f.here(); ok {
		return d.List(ctx, q)
	}
	return f.n.forward.List(ctx, q)
}

// Cancel implements control.Tasks.
func (f face) Cancel(ctx context.Context, r control.CancelRequest) ([]control.CancelReply, error) {
	if d, _, ok := f.here(); ok {
		return d.Cancel(ctx, r)
	}
	return f.n.forward.Cancel(ctx, r)
}

// Why implements control.Tasks.
func (f face) Why(ctx context.Context, id task.ID) (control.Why, error) {
	if d, _, ok := f.here(); ok {
		return d.Why(ctx, id)
	}
	return f.n.forward.Why(ctx, id)
}

// Follow implements control.Tasks.
func (f face) Follow(ctx context.Context, r control.FollowRequest) (control.Follower, error) {
	if d, _, ok := f.here(); ok {
		return d.Follow(ctx, r)
	}
	return f.n.forward.Follow(ctx, r)
}

// PutBlob implements control.Tasks.
func (f face) PutBlob(ctx context.Context, size int64, read func([]byte) (int, error)) (string, error) {
	if _, _, ok := f.here(); ok {
		return f.n.blobs.Put(readFunc(read), size)
	}
	return f.n.forward.PutBlob(ctx, size, read)
}

type readFunc func([]byte) (int, error)

func (r readFunc) Read(p []byte) (int, error) { return r(p) }

// Nodes implements control.Nodes.
func (f face) Nodes(ctx context.Context) ([]control.Node, error) {
	if d, _, ok := f.here(); ok {
		return d.Nodes(ctx)
	}
	nodes, err := f.n.glance.Nodes(ctx)
	if task.KindOf(err) == task.KindNoDispatcher {
		return f.n.alone(), nil
	}
	return nodes, err
}

// alone is what this node knows of nodes while nobody dispatches: itself, and
// what it has seen on the network.
func (n *Node) alone() []control.Node {
	me := control.Node{ID: n.id.ID(), Name: n.Name(), State: control.NodeUp, Self: true, Version: n.opt.Version}
	if _, asks := n.pairingCode(); asks {
		me.State = control.NodeAsks
	}
	return append([]control.Node{me}, n.strangers()...)
}

// Drain implements control.Nodes.
func (f face) Drain(ctx context.Context, node string) (control.Node, error) {
	if d, _, ok := f.here(); ok {
		return d.Drain(ctx, node)
	}
	return f.n.forward.Drain(ctx, node)
}

// Undrain implements control.Nodes.
func (f face) Undrain(ctx context.Context, node string) (control.Node, error) {
	if d, _, ok := f.here(); ok {
		return d.Undrain(ctx, node)
	}
	return f.n.forward.Undrain(ctx, node)
}

// Remove implements control.Nodes.
func (f face) Remove(ctx context.Context, node string) (control.Node, error) {
	d, l, ok := f.here()
	if !ok {
		return f.n.forward.Remove(ctx, node)
	}
	id, err := d.NodeID(node)
	if err != nil {
		return control.Node{}, err
	}
	if id == f.n.id.ID() {
		return control.Node{}, task.Errorf(task.KindConflict, "%s dispatches and cannot remove itself", node).
			WithHint("to end it: octaskly purge on that machine")
	}
	was, err := d.Node(id)
	if err != nil {
		return was, err
	}
	if _, err := l.queue.RemoveMember(id, string(f.who)).Wait(ctx); err != nil {
		return was, err
	}
	f.n.log.Warn("audit: member removed", "node", was.Name, "id", string(id), "by", string(f.who))
	if f.n.ep != nil {
		f.n.ep.Expel(id)
	}
	return was, nil
}

// Status implements control.Watch. Without a dispatcher it says what this node
// knows.
func (f face) Status(ctx context.Context) (control.Status, error) {
	if d, _, ok := f.here(); ok {
		return d.Status(ctx)
	}
	s, err := f.n.glance.Status(ctx)
	if err == nil {
		s.Self = f.n.identity()
		s.Facts = append(f.n.factList(), s.Facts...)
		return s, nil
	}
	if task.KindOf(err) != task.KindNoDispatcher {
		return s, err
	}
	me := f.n.identity()
	s = control.Status{
		Cluster: me.Cluster, Self: me, Facts: f.n.factList(),
		Nodes: map[control.NodeState]int{},
	}
	s.Facts = append(s.Facts, f.n.noDispatcher())
	return s, nil
}

// Events implements control.Watch.
func (f face) Events(ctx context.Context, r control.EventsRequest) (control.EventStream, error) {
	if d, _, ok := f.here(); ok {
		return d.Events(ctx, r)
	}
	return f.n.glance.Events(ctx, r)
}

// noDispatcher says why nobody dispatches, as far as this node knows.
func (n *Node) noDispatcher() control.Fact {
	if err := n.up.none(); task.KindOf(err) != task.KindNoDispatcher {
		return control.Fact{Level: "warning", Text: err.Error(), Cure: task.HintOf(err)}
	}
	return control.Fact{Level: "warning", Text: "no dispatcher", Cure: "start one here: octaskly promote"}
}

// Identity implements control.Admin.
func (f face) Identity(context.Context) (control.Identity, error) { return f.n.identity(), nil }

// Promote implements control.Admin.
func (f face) Promote(ctx context.Context, r control.PromoteRequest) (control.Status, error) {
	if _, _, ok := f.here(); !ok {
		if err := f.n.mayLead(ctx, r.Force); err != nil {
			return control.Status{}, err
		}
		if err := f.n.startLeading(ctx); err != nil {
			return control.Status{}, err
		}
	}
	return f.Status(ctx)
}

// mayLead refuses to dispatch beside another dispatcher or another queue.
func (n *Node) mayLead(ctx context.Context, force bool) error {
	if s, err := n.glance.Status(ctx); err == nil && s.Dispatcher != "" {
		return task.Errorf(task.KindConflict, "node %s dispatches in this cluster", s.Dispatcher).
			WithHint("use it, or stop it first")
	}
	if name, ok := n.otherDispatcher(ctx); ok {
		return task.Errorf(task.KindConflict, "node %s of this user dispatches on this machine", name).
			WithHint("use it, or stop it first")
	}
	if dir := n.otherQueue(); dir != "" && !force {
		return task.Errorf(task.KindConflict, "this cluster has a queue already, in %s", dir).
			WithHint("start the node that has it: octaskly dispatcher\nto begin an empty queue and leave that one behind: octaskly promote --force")
	}
	return nil
}

// Stop implements control.Admin.
func (f face) Stop(_ context.Context, now bool) error {
	f.n.mu.Lock()
	stop := f.n.stop
	f.n.mu.Unlock()
	stop(now)
	return nil
}

// identity is who this node is.
func (n *Node) identity() control.Identity {
	id := control.Identity{ID: n.id.ID(), Name: n.Name(), Fingerprint: fingerprint(string(n.id.ID())), Version: n.opt.Version, Dir: n.slot.Path()}
	if m := n.membership.Load(); m != nil {
		id.Cluster, id.Roles = m.ClusterID(), m.Roles()
	}
	if n.conn != nil {
		id.Addrs = n.reachable()
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

// factList is what a person should know about this node.
func (n *Node) factList() []control.Fact { return n.networkFacts() }

func localPrincipal() task.Principal { return task.Principal(fmt.Sprintf("local:%d", userID())) }
