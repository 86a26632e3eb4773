package node

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/discover"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// seenFor is how long a node stays in the list after it was last seen on the
// network.
const seenFor = 2 * time.Minute

// Bounds of the list: anybody on the network can make sightings. One address
// has room for the nodes of one machine.
const (
	maxSeen    = 256
	maxSeenOne = 16 // with the same first address
)

// peers is what was seen on the network: hints, never trust.
type peers struct {
	finder *discover.Finder // nil: this node looks for nobody

	mu   sync.Mutex
	seen map[task.NodeID]seenNode
	told telling
}

// telling bounds what the log says of nodes that were seen: so many lines in a
// minute.
type telling struct {
	since  time.Time // the minute began
	lines  int       // in it
	silent int       // sightings without one since the last line
}

const tellingMost = 60

// allow reports whether there is a line to be written now, and how many sightings
// before it had none.
func (t *telling) allow(now time.Time) (others int, ok bool) {
	if now.Sub(t.since) >= time.Minute {
		t.since, t.lines = now, 0
	}
	if t.lines >= tellingMost {
		t.silent++
		return 0, false
	}
	t.lines++
	others, t.silent = t.silent, 0
	return others, true
}

// seenNode is all that was seen of a node.
type seenNode struct {
	discover.Sighting
	probed time.Time // when it spoke for itself in a probe or an answer, last
}

// newFinder makes what looks for other nodes on the network.
func (n *Node) newFinder() *discover.Finder {
	return discover.New(discover.Config{
		Self:      n.aboutSelf,
		Socket:    n.ep,
		Seeds:     n.seeds,
		Resolve:   quicnet.Lookup,
		Connected: func() int { return len(n.ep.Sessions()) },
		ProbePort: uint16(n.cfg.DiscoveryPort),
		DialPort:  uint16(n.cfg.DispatcherPort),
		Logger:    n.log,
	})
}

// discover looks for other nodes until ctx ends.
func (n *Node) discover(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { _ = n.peers.finder.Run(ctx) })
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-n.peers.finder.Sightings():
			n.saw(s)
		}
	}
}

func (n *Node) aboutSelf() discover.Self {
	s := discover.Self{Node: n.id.ID(), Name: n.Name(), Port: n.port(), Version: wire.MaxVersion, Dispatches: n.leads() != nil, Looks: n.looks}
	if m := n.membership.Load(); m != nil {
		s.Cluster = m.ClusterID()
	} else if n.looks {
		return s
	} else if _, ok := n.pairingCode(); ok {
		s.Asks = true
	}
	return s
}

// seeds are the addresses that a person gave, and where the dispatcher was.
func (n *Node) seeds() []string {
	if n.cfg.Dispatcher != "" {
		return []string{n.cfg.Dispatcher}
	}
	_, addrs := remembered(n.slot.Path())
	return addrs
}

// saw enters a sighting. One that may end this node's wait for a dispatcher
// ends it.
func (n *Node) saw(s discover.Sighting) {
	if s.Node == "" || s.Node == n.id.ID() {
		return
	}
	s.At = time.Now()
	n.peers.mu.Lock()
	old, known := n.peers.enter(s)
	now := n.peers.seen[s.Node]
	news := !known || old.Dispatches != now.Dispatches || old.Asks != now.Asks
	others, tell := 0, false
	if news {
		others, tell = n.peers.told.allow(s.At)
	}
	n.peers.mu.Unlock()
	if tell {
		n.log.Info("seen on the network", "node", now.Name, "id", now.Node.Short(), "dispatches", now.Dispatches, "asks", now.Asks, "via", string(s.Via), "others before it", others)
	}
	if news {
		n.poke()
	}
}

// enter keeps a sighting, and returns what was known of the node. The caller
// holds the lock.
func (p *peers) enter(s discover.Sighting) (old seenNode, known bool) {
	if p.seen == nil {
		p.seen = make(map[task.NodeID]seenNode)
	}
	if old, known = p.seen[s.Node]; known && s.At.Sub(old.At) < seenFor {
		p.seen[s.Node] = merge(old, s)
		return old, true
	}
	if !known {
		p.makeRoom(s)
	}
	x := seenNode{Sighting: s}
	if s.Via == discover.ByProbe {
		x.probed = s.At
	}
	p.seen[s.Node] = x
	return old, known
}

// makeRoom forgets a node for a new one where there are too many: one at the same
// address; else one that never spoke for itself; else, since whoever floods the
// list must not close it, any. Whoever wants to crowd out nodes that answer
// probes has to probe from many addresses.
func (p *peers) makeRoom(s discover.Sighting) {
	var near, told, other task.NodeID
	nears := 0
	for id, x := range p.seen {
		switch {
		case len(x.Addrs) > 0 && len(s.Addrs) > 0 && x.Addrs[0].Addr() == s.Addrs[0].Addr():
			near = id
			nears++
		case x.probed.IsZero():
			told = id
		default:
			other = id
		}
	}
	switch {
	case nears >= maxSeenOne:
		delete(p.seen, near)
	case len(p.seen) < maxSeen:
	case told != "":
		delete(p.seen, told)
	case near != "":
		delete(p.seen, near)
	default:
		delete(p.seen, other)
	}
}

// merge puts together what was seen of one node. What it says of itself counts
// more than what others say of it, and what it says in a probe, which nobody
// keeps, more than a record that may be old.
func merge(old seenNode, s discover.Sighting) seenNode {
	x := seenNode{Sighting: s, probed: old.probed}
	if s.Via == discover.ByProbe {
		x.probed = s.At
	}
	rest := old.Addrs
	switch {
	case s.Via == discover.ByPeers && old.Via != discover.ByPeers:
		x.Self, x.Via, x.Addrs, rest = old.Self, old.Via, old.Addrs, s.Addrs
		x.Dispatches = x.Dispatches || s.Dispatches
	case s.Via == discover.ByMDNS && s.At.Sub(old.probed) < seenFor:
		x.Self, x.Via, x.Addrs, rest = old.Self, old.Via, old.Addrs, s.Addrs
	}
	for _, a := range rest {
		if !slices.Contains(x.Addrs, a) && len(x.Addrs) < 16 {
			x.Addrs = append(slices.Clip(x.Addrs), a)
		}
	}
	return x
}

// look lists what was seen lately, by name, and forgets the rest.
func (p *peers) look() []discover.Sighting {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []discover.Sighting
	for id, s := range p.seen {
		if time.Since(s.At) > seenFor {
			delete(p.seen, id)
			continue
		}
		all = append(all, s.Sighting)
	}
	slices.SortFunc(all, func(a, b discover.Sighting) int { return strings.Compare(a.Name+string(a.Node), b.Name+string(b.Node)) })
	return all
}

// dispatchersSeen lists addresses of nodes seen on the network that may dispatch
// in this node's cluster; a node that is no member may join any.
func (n *Node) dispatchersSeen() []place {
	m := n.membership.Load()
	var all []place
	seen := n.peers.look()
	rand.Shuffle(len(seen), func(i, j int) { seen[i], seen[j] = seen[j], seen[i] }) // nobody can push to the front
	for _, s := range seen {
		if s.Dispatches && (m == nil || s.Cluster == m.ClusterID()) {
			for _, a := range s.Addrs {
				all = append(all, place{a.String(), s.Node})
			}
		}
	}
	return all
}

// asking lists nodes seen on the network that want to be members.
func (n *Node) asking() []discover.Sighting {
	var all []discover.Sighting
	for _, s := range n.peers.look() {
		if s.Asks {
			all = append(all, s)
		}
	}
	return all
}

// strangers is what faces show of nodes that were seen and are no members.
func (n *Node) strangers() []control.Node {
	var all []control.Node
	own := ""
	if m := n.membership.Load(); m != nil {
		own = m.ClusterID()
	}
	for _, s := range n.peers.look() {
		c := control.Node{ID: s.Node, Name: s.Name, State: control.NodeForeign, Seen: s.At.UnixMilli()}
		switch {
		case s.Asks:
			c.State = control.NodeAsks
		case s.Cluster == own && own != "" && n.leads() == nil: // who dispatches knows its members
			c.State = control.NodeUp
		}
		if len(s.Addrs) > 0 {
			c.Addr = s.Addrs[0].String()
		}
		if s.Dispatches {
			c.Doing = []string{"dispatcher"}
		}
		all = append(all, c)
	}
	return all
}

// networkFacts says which ways of finding nodes do not work here.
func (n *Node) networkFacts() []control.Fact {
	if n.peers.finder == nil {
		return nil
	}
	var fs []control.Fact
	for _, f := range n.peers.finder.Facts() {
		if f.OK {
			continue
		}
		text := "finding nodes by " + string(f.Rung)
		if f.Interface != "" {
			text += " on " + f.Interface
		}
		level := findInfo
		if f.Rung == discover.ByAddress { // somebody asked for it
			level = findWarning
		}
		fs = append(fs, control.Fact{Level: level, Text: text + ": " + f.Words, Cure: f.Hint})
	}
	return fs
}
