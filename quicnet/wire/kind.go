package wire

import "fmt"

// Kind says what a frame's body is. Kinds are numbered by family:
// 1–15 control, 16–31 work, 32–95 rpc, 96–111 output, 112–127 blob,
// 128–143 join. A number is never used again for something else.
type Kind uint8

// The kinds of the control stream, and Fault, which may come on any stream.
const (
	KindHello   Kind = 1
	KindWelcome Kind = 2
	KindRefused Kind = 3
	KindGoAway  Kind = 4
	KindFault   Kind = 15
)

// StreamKind is the first byte of every stream and says what it is for.
type StreamKind uint8

// The stream kinds. AnyStream stands in a registry entry for "all of them".
const (
	AnyStream     StreamKind = 0
	StreamControl StreamKind = 1 // HELLO, WELCOME, GOAWAY: one in a session, opened by the dialler
	StreamWork    StreamKind = 2 // leases, assignments, results, heartbeats between dispatcher and worker
	StreamRPC     StreamKind = 3 // one request and its replies
	StreamOutput  StreamKind = 4 // what one attempt writes
	StreamBlob    StreamKind = 5 // a file by its hash
	StreamJoin    StreamKind = 6 // the join exchange, only on a join connection
	StreamPeers   StreamKind = 7 // one PEERS each way: where other members are
)

var streamNames = [...]string{"any", "control", "work", "rpc", "output", "blob", "join", "peers"}

// String is the stream kind's name for logs and errors.
func (k StreamKind) String() string {
	if int(k) < len(streamNames) {
		return streamNames[k]
	}
	return fmt.Sprintf("stream-%d", uint8(k))
}

// Application reports whether a node may open streams of this kind itself.
func (k StreamKind) Application() bool {
	return k >= StreamWork && k <= StreamBlob || k == StreamPeers
}

// End says which end of a stream may send a kind.
type End uint8

// The ends. Opener is the side that opened the stream (on a local socket: the
// side that dialled).
const (
	Opener   End = 1
	Acceptor End = 2
	BothEnds     = Opener | Acceptor
)

// Limits on a frame, in bytes, counting the kind byte and the body.
const (
	LimitBefore = 64 << 10 // before HELLO was answered
	LimitAfter  = 1 << 20  // afterwards
)

// Info describes a kind: what it is called, on which streams and from which
// end it may come, and how large it may be.
type Info struct {
	Kind   Kind
	Name   string
	Stream StreamKind // AnyStream: on all
	From   End
	Max    int // bytes of kind and body; 0 is LimitAfter
}

// registry is filled by init functions only and read-only afterwards.
var registry [256]Info

// register enters a kind. It panics when a number is used twice, which is an
// error in this package that every test run would show.
func register(infos ...Info) {
	for _, i := range infos {
		if i.Kind == 0 || i.Name == "" || i.From == 0 {
			panic(fmt.Sprintf("wire: kind %d is not described", i.Kind))
		}
		if registry[i.Kind].Name != "" {
			panic(fmt.Sprintf("wire: kind %d is both %s and %s", i.Kind, registry[i.Kind].Name, i.Name))
		}
		if i.Max == 0 {
			i.Max = LimitAfter
		}
		registry[i.Kind] = i
	}
}

// Info describes the kind; ok is false when it is not registered.
func (k Kind) Info() (i Info, ok bool) { i = registry[k]; return i, i.Name != "" }

// String is the kind's name for logs and errors.
func (k Kind) String() string {
	if i, ok := k.Info(); ok {
		return i.Name
	}
	return fmt.Sprintf("kind-%d", uint8(k))
}

// Kinds lists every registered kind in the order of their numbers.
func Kinds() []Info {
	var all []Info
	for _, i := range registry {
		if i.Name != "" {
			all = append(all, i)
		}
	}
	return all
}

func init() {
	register(
		Info{Kind: KindHello, Name: "hello", Stream: StreamControl, From: Opener, Max: maxHello},
		Info{Kind: KindWelcome, Name: "welcome", Stream: StreamControl, From: Acceptor, Max: maxHello},
		Info{Kind: KindRefused, Name: "refused", Stream: StreamControl, From: Acceptor, Max: maxHello},
		Info{Kind: KindGoAway, Name: "goaway", Stream: StreamControl, From: BothEnds, Max: maxHello},
		Info{Kind: KindFault, Name: "fault", From: BothEnds, Max: maxFault},
	)
}
