package peers

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/discover"
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

// seenList is what was seen on the network lately.
type seenList struct {
	mu   sync.Mutex
	seen map[task.NodeID]seenNode
	log  logLimit
}

// logLimit bounds what the log says of nodes that were seen: so many lines in a
// minute.
type logLimit struct {
	since  time.Time // the minute began
	lines  int       // in it
	silent int       // sightings without one since the last line
}

const logLinesAMinute = 60

// allow reports whether there is a line to be written now, and how many sightings
// before it had none.
func (t *logLimit) allow(now time.Time) (others int, ok bool) {
	if now.Sub(t.since) >= time.Minute {
		t.since, t.lines = now, 0
	}
	if t.lines >= logLinesAMinute {
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

// add keeps a sighting. It returns what is known of the node now, whether that is
// news, and whether to say so in the log, with how many that were passed over.
func (l *seenList) add(s discover.Sighting) (now seenNode, news bool, others int, tell bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	old, known := l.enter(s)
	now = l.seen[s.Node]
	news = !known || old.Dispatches != now.Dispatches || old.Asks != now.Asks
	if news {
		others, tell = l.log.allow(s.At)
	}
	return now, news, others, tell
}

// enter keeps a sighting, and returns what was known of the node. The caller
// holds the lock.
func (l *seenList) enter(s discover.Sighting) (old seenNode, known bool) {
	if l.seen == nil {
		l.seen = make(map[task.NodeID]seenNode)
	}
	if old, known = l.seen[s.Node]; known && s.At.Sub(old.At) < seenFor {
		l.seen[s.Node] = merge(old, s)
		return old, true
	}
	if !known {
		l.makeRoom(s)
	}
	x := seenNode{Sighting: s}
	if s.Via == discover.ByProbe {
		x.probed = s.At
	}
	l.seen[s.Node] = x
	return old, known
}

// makeRoom forgets a node for a new one where there are too many: one at the same
// address; else one that never spoke for itself; else, since whoever floods the
// list must not close it, any. Whoever wants to crowd out nodes that answer
// probes has to probe from many addresses.
func (l *seenList) makeRoom(s discover.Sighting) {
	var near, hinted, other task.NodeID
	nears := 0
	for id, x := range l.seen {
		switch {
		case len(x.Addrs) > 0 && len(s.Addrs) > 0 && x.Addrs[0].Addr() == s.Addrs[0].Addr():
			near = id
			nears++
		case x.probed.IsZero():
			hinted = id
		default:
			other = id
		}
	}
	switch {
	case nears >= maxSeenOne:
		delete(l.seen, near)
	case len(l.seen) < maxSeen:
	case hinted != "":
		delete(l.seen, hinted)
	case near != "":
		delete(l.seen, near)
	default:
		delete(l.seen, other)
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

// list gives what was seen lately, by name, and forgets the rest.
func (l *seenList) list() []discover.Sighting {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []discover.Sighting
	for id, s := range l.seen {
		if time.Since(s.At) > seenFor {
			delete(l.seen, id)
			continue
		}
		all = append(all, s.Sighting)
	}
	slices.SortFunc(all, func(a, b discover.Sighting) int { return strings.Compare(a.Name+string(a.Node), b.Name+string(b.Node)) })
	return all
}

// dispatchersSeen lists addresses of nodes seen on the network that may dispatch
// in this node's cluster; a node that is no member may join any.
func (p *Peers) dispatchersSeen() []Place {
	own := p.cluster()
	var all []Place
	seen := p.seen.list()
	rand.Shuffle(len(seen), func(i, j int) { seen[i], seen[j] = seen[j], seen[i] }) // nobody can push to the front
	for _, s := range seen {
		if s.Dispatches && (own == "" || s.Cluster == own) {
			for _, a := range s.Addrs {
				all = append(all, Place{a.String(), s.Node})
			}
		}
	}
	return all
}
