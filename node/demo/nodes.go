package demo

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// Nodes lists the fleet.
func (f *Fleet) Nodes(context.Context) ([]control.Node, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance()
	out := make([]control.Node, 0, len(f.nodes))
	for _, n := range f.nodes {
		out = append(out, f.view(n))
	}
	slices.SortFunc(out, func(a, b control.Node) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func (f *Fleet) change(name string, do func(*node) error) (control.Node, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance()
	for _, n := range f.nodes {
		if n.name == name || string(n.id) == name {
			if err := do(n); err != nil {
				return control.Node{}, err
			}
			f.fill()
			f.wake()
			return f.view(n), nil
		}
	}
	return control.Node{}, task.Errorf(task.KindNotFound, "there is no node %q", name)
}

// Drain stops giving tasks to a node.
func (f *Fleet) Drain(_ context.Context, name string) (control.Node, error) {
	return f.change(name, func(n *node) error {
		if !n.member() {
			return task.Errorf(task.KindConflict, "%s is not a member", n.name)
		}
		n.state = control.NodeDraining
		f.nodeEvent(n, n.name+" is draining (by ana)")
		return nil
	})
}

// Undrain takes that back.
func (f *Fleet) Undrain(_ context.Context, name string) (control.Node, error) {
	return f.change(name, func(n *node) error {
		n.state = control.NodeUp
		f.nodeEvent(n, n.name+" takes tasks again (by ana)")
		return nil
	})
}

// Remove revokes a node's membership.
func (f *Fleet) Remove(_ context.Context, name string) (control.Node, error) {
	return f.change(name, func(n *node) error {
		if n.i == 0 {
			return task.Errorf(task.KindConflict, "%s is the dispatcher", n.name).WithHint("promote another node first")
		}
		n.state, n.doing, n.bad = control.NodeAsks, nil, false
		f.nodeEvent(n, n.name+" was removed (by ana)")
		return nil
	})
}

// Admit lets in the node that shows this code.
func (f *Fleet) Admit(_ context.Context, code, name string) (control.Node, error) {
	f.mu.Lock()
	var found string
	for _, n := range f.nodes {
		if n.state == control.NodeAsks && strings.EqualFold(strings.ReplaceAll(n.code, "-", ""), strings.ReplaceAll(code, "-", "")) {
			found = n.name
		}
	}
	f.mu.Unlock()
	if found == "" {
		return control.Node{}, task.Errorf(task.KindNotFound, "no node shows the code %s", code).WithHint("in this demo tower-7 shows K7QM-3XPA")
	}
	return f.change(found, func(n *node) error {
		n.state, n.slots, n.doing = control.NodeUp, 16, []string{"worker"}
		f.use(n, 0)
		if name != "" {
			n.name = name
		}
		f.nodeEvent(n, n.name+" was admitted (by ana)")
		return nil
	})
}

// Invite makes a code; it opens nothing.
func (f *Fleet) Invite(_ context.Context, r control.InviteRequest) (control.Invite, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance()
	f.invites++
	ttl := r.TTL
	if ttl <= 0 {
		ttl = 10 * time.Minute
	}
	codes := []string{"4T9C-W2HN", "B6XK-8RQD", "Z3M5-PV7F", "9JYE-C4ST"}
	return control.Invite{Code: codes[f.invites%len(codes)], Roles: []task.Role{task.RoleWorker, task.RoleClient}, Uses: max(1, r.Uses), Expires: f.at + ttl.Milliseconds()}, nil
}

// Status is the fleet in one value.
func (f *Fleet) Status(context.Context) (control.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance()
	return f.status(), nil
}

func (f *Fleet) status() control.Status {
	s := control.Status{Nodes: map[control.NodeState]int{}, QueueLimit: 1_000_000, Self: f.identity()}
	for _, n := range f.nodes {
		s.Nodes[n.state]++
	}
	if !f.promoted {
		return s
	}
	s.Cluster, s.Dispatcher, s.Term, s.Since = "demo", f.nodes[0].name, 1, f.since
	for _, st := range task.States() {
		s.Tasks[st] = f.counts[st]
	}
	s.Ready = f.counts[task.Queued]
	s.Slots, s.SlotsUsed = f.slots()
	for _, n := range f.finished {
		s.Rate += float64(n) / 9
	}
	return s
}

func (f *Fleet) identity() control.Identity {
	n := f.nodes[0]
	id := control.Identity{ID: n.id, Name: n.name, Fingerprint: "9fQ2 7xTe kL0a 44Wm", Addrs: []string{n.addr}, Version: n.version, Dir: "(demo)"}
	if f.promoted {
		id.Cluster, id.Roles = "demo", []task.Role{task.RoleAdmin, task.RoleDispatcher, task.RoleWorker, task.RoleClient}
	} else {
		id.Code = "H2VD-6NRK"
	}
	return id
}

// Identity is this node.
func (f *Fleet) Identity(context.Context) (control.Identity, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.identity(), nil
}

// Promote makes this node the dispatcher.
func (f *Fleet) Promote(context.Context, control.PromoteRequest) (control.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance()
	if f.promoted {
		return f.status(), task.Errorf(task.KindConflict, "%s is the dispatcher already", f.nodes[0].name)
	}
	f.promoted, f.since = true, f.at
	f.nodes[0].doing = []string{"dispatcher", "worker"}
	f.nodeEvent(f.nodes[0], fmt.Sprintf("%s became dispatcher (by ana)", f.nodes[0].name))
	f.wake()
	return f.status(), nil
}

// Stop ends the simulation: nothing moves any more.
func (f *Fleet) Stop(context.Context, bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = true
	return nil
}

// Offers is empty: nobody wants this node.
func (f *Fleet) Offers(ctx context.Context) (control.OfferStream, error) {
	ctx, cancel := context.WithCancel(ctx)
	return nobody{ctx, cancel}, nil
}

// Decide finds nothing to answer.
func (f *Fleet) Decide(context.Context, uint64, bool) error {
	return task.Errorf(task.KindConflict, "nobody asks")
}

type nobody struct {
	ctx    context.Context
	cancel context.CancelFunc
}

// Next waits for the end.
func (n nobody) Next() (control.Offer, error) {
	<-n.ctx.Done()
	return control.Offer{}, io.EOF
}

// Close ends it.
func (n nobody) Close() error {
	n.cancel()
	return nil
}

// CreateToken refuses: nothing here could be asked with a token.
func (f *Fleet) CreateToken(context.Context, control.TokenRequest) (control.Token, error) {
	return control.Token{}, task.Errorf(task.KindConflict, "a simulated fleet has no REST to make a token for")
}
