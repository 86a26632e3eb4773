package dispatch

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/problem"
	"github.com/adauldev/octaskly/queue/sched"
	"github.com/adauldev/octaskly/queue/task"
)

func (d *Dispatcher) Nodes(context.Context) ([]control.Node, error) { return d.nodes(), nil }

// nodes is every member and everything that was seen, by name.
func (d *Dispatcher) nodes() []control.Node {
	byID := make(map[task.NodeID]*control.Node)
	for _, m := range d.queue.Members() {
		byID[m.ID] = &control.Node{ID: m.ID, Name: m.Name, State: control.NodeAway, Roles: m.Roles}
	}
	drained := d.drained()
	d.mu.Lock()
	for id, w := range d.workers {
		n := byID[id]
		if n == nil && (w.state == sched.Lost || w.state == sched.Away) {
			continue // removed from the cluster
		}
		if n == nil {
			n = &control.Node{ID: id, Name: w.name}
			byID[id] = n
		}
		w.describe(n, drained[id])
		if n.State == control.NodeStale {
			n.LostAt = w.seen + lostAfter(d.opt.Beat, d.opt.Lease).Milliseconds()
		}
	}
	d.mu.Unlock()
	if d.opt.Seen != nil {
		removed := map[task.NodeID]int64{}
		for _, r := range d.queue.Revocations() {
			removed[r.ID] = r.At
		}
		for _, s := range d.opt.Seen() {
			if byID[s.ID] == nil && s.Seen > removed[s.ID] { // not what was seen of it before it went
				byID[s.ID] = &s
			}
		}
	}
	self := byID[d.opt.Node]
	if self == nil {
		self = &control.Node{ID: d.opt.Node, Name: d.opt.Name}
		byID[d.opt.Node] = self
	}
	self.Self = true
	if self.State == control.NodeAway || self.State == "" {
		self.State = control.NodeUp
	}
	self.Seen = time.Now().UnixMilli()
	self.Version = d.opt.Version
	self.Doing = append([]string{"dispatcher"}, self.Doing...)
	out := make([]control.Node, 0, len(byID))
	for _, n := range byID {
		out = append(out, *n)
	}
	slices.SortFunc(out, func(a, b control.Node) int { return strings.Compare(a.Name+string(a.ID), b.Name+string(b.ID)) })
	return out
}

func (w *worker) describe(n *control.Node, drained bool) {
	n.State = nodeState(w.state, drained || w.leaving, len(w.leases))
	n.Version, n.Addr, n.Capacity, n.Load, n.Used = w.version, w.addr, w.cap, w.load, w.used
	n.Skew = w.skew.ahead()
	n.RTT, n.Seen, n.Warnings, n.Done, n.Failed = w.rtt, w.seen, w.warnings, w.done, w.failed
	if w.load.DiskFull {
		n.Warnings = append(slices.Clone(n.Warnings), "its disk is full: it takes no tasks until there is space for their output")
	}
	if w.cap.Slots > 0 {
		n.Doing = append(n.Doing, "worker")
	}
}

func nodeState(s sched.State, drained bool, leases int) control.NodeState {
	switch {
	case s == sched.Stale:
		return control.NodeStale
	case s == sched.Lost:
		return control.NodeLost
	case s == sched.Away:
		return control.NodeAway
	case drained && leases > 0:
		return control.NodeDraining
	case drained:
		return control.NodeDrained
	}
	return control.NodeUp
}

func (d *Dispatcher) Drain(ctx context.Context, node string) (control.Node, error) {
	return d.setDrain(ctx, node, true)
}

func (d *Dispatcher) Undrain(ctx context.Context, node string) (control.Node, error) {
	return d.setDrain(ctx, node, false)
}

func (d *Dispatcher) setDrain(ctx context.Context, node string, on bool) (control.Node, error) {
	id, err := d.nodeID(node)
	if err != nil {
		return control.Node{}, err
	}
	if _, err := d.queue.SetDrain(id, on).Wait(ctx); err != nil {
		return control.Node{}, err
	}
	word := "takes tasks again"
	if on {
		word = "is draining"
	}
	d.feed.node(node, word)
	d.poke()
	return d.node(id)
}

func (d *Dispatcher) node(id task.NodeID) (control.Node, error) {
	for _, n := range d.nodes() {
		if n.ID == id {
			return n, nil
		}
	}
	return control.Node{}, task.Errorf(task.KindNotFound, "no node has the id %s", id.Short())
}

// NodeID finds a node by its name, its id, or the beginning of its id.
func (d *Dispatcher) NodeID(name string) (task.NodeID, error) { return d.nodeID(name) }

// Node is one node as Nodes lists it.
func (d *Dispatcher) Node(id task.NodeID) (control.Node, error) { return d.node(id) }

func (d *Dispatcher) Status(context.Context) (control.Status, error) {
	term, _ := d.queue.Leader()
	s := control.Status{
		Cluster: d.opt.Cluster, Dispatcher: d.opt.Name, Term: term, Since: d.started.UnixMilli(),
		Nodes: make(map[control.NodeState]int), Ready: d.queue.ReadyCount(), QueueLimit: d.queue.Limit(),
	}
	for st, n := range d.queue.Counts() {
		s.Tasks[st] = n
	}
	nodes := d.nodes()
	for i := range nodes {
		n := &nodes[i]
		s.Nodes[n.State]++
		if n.Self {
			s.Dispatcher = n.Name
		}
		if n.State == control.NodeUp || n.State == control.NodeDraining {
			s.Slots += int(n.Capacity.Slots)
			s.SlotsUsed += min(int(n.Used.Tasks), int(n.Capacity.Slots))
		}
	}
	d.mu.Lock()
	s.Rate = d.rate.perSecond(time.Now())
	d.mu.Unlock()
	if d.opt.Identity != nil {
		s.Self = d.opt.Identity()
	}
	if d.opt.Seal != nil {
		s.Seal = d.opt.Seal.Public()
	}
	s.Problems = problem.Find(problem.Picture{Status: &s, Nodes: nodes})
	if d.opt.Problems != nil {
		s.Problems = problem.Merge(s.Problems, d.opt.Problems())
	}
	s.Problems = problem.Merge(s.Problems, d.outputProblems())
	return s, nil
}
