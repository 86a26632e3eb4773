package quicnet

import (
	"maps"
	"slices"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// table holds the sessions that stand. The Endpoint's mutex guards it.
type table struct {
	every map[*Session]struct{}
	nodes map[task.NodeID]*Session // at most one for each node
}

func newTable() table {
	return table{every: make(map[*Session]struct{}), nodes: make(map[task.NodeID]*Session)}
}

func (t *table) all() []*Session { return slices.Collect(maps.Keys(t.every)) }

// verdict is what becomes of a new session with a node that has one already.
type verdict int

const (
	keepNew verdict = iota
	keepOld
)

// choose decides between two sessions with the same node. Both sides come to the
// same answer without talking: of two that cross, the one dialled by the lower
// node id stays. An old one is given up for a new one when the peer was started
// anew or says that it has no other, and when both were dialled by the same
// side: who dials again has lost the old one.
func choose(self, peer task.NodeID, old, fresh *Session) verdict {
	if old == nil || old.peer.Hello.Boot != fresh.peer.Hello.Boot || fresh.peer.Hello.Sole && !fresh.peer.Dialed {
		return keepNew
	}
	if old.peer.Dialed == fresh.peer.Dialed {
		return keepNew
	}
	if fresh.peer.Dialed == (self < peer) {
		return keepNew
	}
	return keepOld
}

// add enters a session, and returns the one that it replaces. It returns false
// when the old one stays.
func (t *table) add(self task.NodeID, s *Session) (replaced *Session, ok bool) {
	if s.deduplicated() {
		old := t.nodes[s.peer.ID]
		if choose(self, s.peer.ID, old, s) == keepOld {
			return nil, false
		}
		t.nodes[s.peer.ID] = s
		replaced = old
	}
	t.every[s] = struct{}{}
	return replaced, true
}

func (t *table) remove(s *Session) {
	delete(t.every, s)
	if t.nodes[s.peer.ID] == s {
		delete(t.nodes, s.peer.ID)
	}
}

// deduplicated reports whether both ends are nodes.
func (s *Session) deduplicated() bool {
	return s.peer.Hello.Kind == wire.PeerNode && s.kind == wire.PeerNode
}
