package wire

import "github.com/adauldev/octaskly/queue/task"

// The kinds of a local socket, before its stream serves its purpose. The side
// that was dialled begins with LocalHello; the dialler answers LocalProof; the
// other side proves itself in turn with LocalWelcome or sends a Fault.
const (
	KindLocalHello   Kind = 80
	KindLocalProof   Kind = 81
	KindLocalWelcome Kind = 82
	KindEnrol        Kind = 84
	KindEnrolled     Kind = 85
)

// LocalHello begins the challenge.
type LocalHello struct {
	Version uint16 `msgpack:"v"`
	Nonce   []byte `msgpack:"n"`
}

// LocalProof answers it, with a challenge of its own and what the stream is for.
type LocalProof struct {
	Nonce   []byte `msgpack:"n"`
	Purpose string `msgpack:"p"`
	Proof   []byte `msgpack:"m"`
}

// LocalWelcome ends the challenge: the stream is now what was asked for.
type LocalWelcome struct {
	Proof []byte `msgpack:"m"`
}

// Enrol asks, over a local socket, for membership in the cluster of the node
// that listens there.
type Enrol struct {
	PublicKey []byte      `msgpack:"k"` // Ed25519
	Name      string      `msgpack:"n"`
	Roles     []task.Role `msgpack:"r,omitempty"` // what it wants to do
	Proof     []byte      `msgpack:"s"`           // signature of the public key's owner over the channel's binding
}

// Enrolled answers Enrol.
type Enrolled struct {
	Cluster      string   `msgpack:"c"`
	Certificates [][]byte `msgpack:"x"` // DER, the node's own first, the cluster's authority last
	Name         string   `msgpack:"n"` // as the cluster knows it; a clash was suffixed
	Dispatcher   string   `msgpack:"d"` // id of the node that dispatches
	Addrs        []string `msgpack:"a"` // where to reach it
}

func (LocalHello) WireKind() Kind   { return KindLocalHello }
func (LocalProof) WireKind() Kind   { return KindLocalProof }
func (LocalWelcome) WireKind() Kind { return KindLocalWelcome }
func (Enrol) WireKind() Kind        { return KindEnrol }
func (Enrolled) WireKind() Kind     { return KindEnrolled }

func init() {
	register(
		Info{Kind: KindLocalHello, Name: "local-hello", Stream: StreamRPC, From: Acceptor, Max: 256},
		Info{Kind: KindLocalProof, Name: "local-proof", Stream: StreamRPC, From: Opener, Max: 512},
		Info{Kind: KindLocalWelcome, Name: "local-welcome", Stream: StreamRPC, From: Acceptor, Max: 256},
		Info{Kind: KindEnrol, Name: "enrol", Stream: StreamRPC, From: Opener, Max: 4 << 10},
		Info{Kind: KindEnrolled, Name: "enrolled", Stream: StreamRPC, From: Acceptor, Max: 32 << 10},
	)
}
