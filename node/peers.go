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
	"github.com/adauldev/octaskly/quicnet/discover"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// seenFor is how long a node stays in the list after it was last seen on the
// network.
const seenFor = 2 * time.Minute

// maxSeen bounds the list: anybody on the network can make sightings.
const maxSeen = 256

// peers is what was seen on the network: hints, never trust.
type peers struct {
	finder *discover.Finder // nil: this node looks for nobody

	mu   sync.Mutex
	seen map[task.NodeID]discover.Sighting
}

// newFinder makes what looks for other nodes on the network.
func (n *Node) newFinder() *discover.Finder {
	return discover.New(discover.Config{
		Self:      n.aboutSelf,
		Socket:    n.ep,
		Seeds:     n.seeds,
		Connected: func() int { return len(n.ep.Sessions()) },
		ProbePort: uint16(n.cfg.DiscoveryPort),
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
	s := discover.Self{Node: n.id.ID(), Name: n.Name(), Port: n.port(), Version: wire.MaxVersion, Dispatches: n.leads() != nil}
	if m := n.membership.Load(); m != nil {
		s.Cluster = m.ClusterID()
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
	n.peers.mu.Lock()
	if n.peers.seen == nil {
		n.peers.seen = make(map[task.NodeID]discover.Sighting)
	}
	s.At = time.Now()
	old, known := n.peers.seen[s.Node]
	if known && s.At.Sub(old.At) < seenFor {
		s = merge(old, s)
	}
	if !known && len(n.peers.seen) >= maxSeen {
		for id := range n.peers.seen { // any: whoever floods the list must not close it
			delete(n.peers.seen, id)
			break
		}
	}
	n.peers.seen[s.Node] = s
	n.peers.mu.Unlock()
	if !known || old.Dispatches != s.Dispatches || old.Asks != s.Asks {
		n.log.Info("seen on the network", "node", s.Name, "id", s.Node.Short(), "dispatches", s.Dispatches, "asks", s.Asks, "via", string(s.Via))
		n.poke()
	}
}

// merge puts together what was seen of one node. What it says of itself counts
// more than what others say of it.
func merge(old, s discover.Sighting) discover.Sighting {
	if s.Via == discover.ByPeers && old.Via != discover.ByPeers {
		old.At, old.Dispatches = s.At, old.Dispatches || s.Dispatches
		old, s = s, old
	}
	for _, a := range old.Addrs {
		if !slices.Contains(s.Addrs, a) && len(s.Addrs) < 16 {
			s.Addrs = append(slices.Clip(s.Addrs), a)
		}
	}
	return s
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
		all = append(all, s)
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
		case s.Cluster == own && own != "":
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
		fs = append(fs, control.Fact{Level: "info", Text: text + ": " + f.Words, Cure: f.Hint})
	}
	return fs
}
