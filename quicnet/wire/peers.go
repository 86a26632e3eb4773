package wire

import "github.com/adauldev/octaskly/queue/task"

// KindPeers is what nodes tell each other about where others are: on a stream of
// its own the opener says what it knows, and the other side answers with the
// same. A hint, as all of discovery.
const KindPeers Kind = 72

// MaxPeers is the most entries in one Peers message.
const MaxPeers = 64

// MaxPeerAddrs is the most addresses of one entry.
const MaxPeerAddrs = 8

// Peers lists nodes that the sender is connected to.
type Peers struct {
	Items []PeerHint `msgpack:"i"`
}

// PeerHint is where a node was last reached.
type PeerHint struct {
	Node       task.NodeID `msgpack:"n"`
	Name       string      `msgpack:"m,omitempty"`
	Addrs      []string    `msgpack:"a"` // "IP:port", best first, at most MaxPeerAddrs
	SeenAgo    int64       `msgpack:"s"` // ms before this message was made
	Dispatches bool        `msgpack:"d,omitempty"`
}

func (Peers) WireKind() Kind { return KindPeers }

func init() {
	register(Info{Kind: KindPeers, Name: "peers", Stream: StreamPeers, From: BothEnds, Max: 64 << 10})
}
