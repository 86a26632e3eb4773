package wire

import "github.com/adauldev/octaskly/queue/task"

// The kinds of a join stream, in the order in which they come. The dialler is
// the side that did not make the code, whichever side that is, and proves first.
const (
	KindJoinOpen    Kind = 128
	KindJoinReady   Kind = 129
	KindJoinWait    Kind = 130
	KindJoinProof   Kind = 131
	KindJoinRequest Kind = 132
	KindJoinGrant   Kind = 133
	KindJoinDone    Kind = 134
)

// JoinOpen says what the dialler is: "joiner" or "admitter".
type JoinOpen struct {
	Min     uint16 `msgpack:"v"`
	Max     uint16 `msgpack:"V"`
	Side    string `msgpack:"s"`
	Name    string `msgpack:"n"`
	Cluster string `msgpack:"c,omitempty"` // an admitter's cluster
	Invite  string `msgpack:"i,omitempty"` // public part of a long code
	Build   string `msgpack:"u,omitempty"`
}

// JoinReady answers: the other side is what is needed, and a proof is awaited.
type JoinReady struct {
	Version uint16 `msgpack:"v"`
	Name    string `msgpack:"n"`
	Cluster string `msgpack:"c,omitempty"` // an admitter's cluster
	Build   string `msgpack:"u,omitempty"`
}

// JoinWait answers instead when there were too many tries lately.
type JoinWait struct {
	Ms int64 `msgpack:"m"`
}

// JoinProof shows that its sender knows the code, to nobody but the other end of
// this connection.
type JoinProof struct {
	Proof []byte `msgpack:"p"`
}

// JoinRequest is sent by the joiner once both have proved, and whoever has to
// agree at its side has agreed. Its key is that of the connection.
type JoinRequest struct {
	Name string `msgpack:"n"`
}

// JoinGrant is the membership.
type JoinGrant struct {
	Root       []byte      `msgpack:"r"` // DER
	Chain      [][]byte    `msgpack:"x"` // DER, the node's own first
	Name       string      `msgpack:"n"` // as the cluster knows it; a clash was suffixed
	Dispatcher task.NodeID `msgpack:"d,omitempty"`
	Addrs      []string    `msgpack:"a,omitempty"` // where to reach it
}

// JoinDone says that the membership is stored.
type JoinDone struct{}

func (JoinOpen) WireKind() Kind    { return KindJoinOpen }
func (JoinReady) WireKind() Kind   { return KindJoinReady }
func (JoinWait) WireKind() Kind    { return KindJoinWait }
func (JoinProof) WireKind() Kind   { return KindJoinProof }
func (JoinRequest) WireKind() Kind { return KindJoinRequest }
func (JoinGrant) WireKind() Kind   { return KindJoinGrant }
func (JoinDone) WireKind() Kind    { return KindJoinDone }

// Readable reports whether a peer's word may be shown: printable characters
// and spaces, at most 128 bytes.
func Readable(s string) bool { return len(s) <= maxName && plain(s, true) }

func init() {
	const small = 1 << 10
	register(
		Info{Kind: KindJoinOpen, Name: "join-open", Stream: StreamJoin, From: Opener, Max: small},
		Info{Kind: KindJoinReady, Name: "join-ready", Stream: StreamJoin, From: Acceptor, Max: small},
		Info{Kind: KindJoinWait, Name: "join-wait", Stream: StreamJoin, From: Acceptor, Max: small},
		Info{Kind: KindJoinProof, Name: "join-proof", Stream: StreamJoin, From: BothEnds, Max: small},
		Info{Kind: KindJoinRequest, Name: "join-request", Stream: StreamJoin, From: BothEnds, Max: small},
		Info{Kind: KindJoinGrant, Name: "join-grant", Stream: StreamJoin, From: BothEnds, Max: 32 << 10},
		Info{Kind: KindJoinDone, Name: "join-done", Stream: StreamJoin, From: BothEnds, Max: small},
	)
}
