package wire

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/adauldev/octaskly/queue/task"
)

// maxHello bounds every message of the control stream, so that a connection
// that has not proved anything yet costs little.
const maxHello = 8 << 10

// The protocol versions that this program speaks.
const (
	MinVersion uint16 = 1
	MaxVersion uint16 = 1
)

// PeerKind says what dials: a node that stays, or a program that asks something
// and goes. Only connections between nodes are deduplicated.
type PeerKind string

// The kinds of peers.
const (
	PeerNode   PeerKind = "node"
	PeerClient PeerKind = "client"
)

// Hello is the first message of a session, sent by the side that dialled. All of
// it is the peer's own claim, except that Node and Cluster are compared with
// the certificate before the session begins.
type Hello struct {
	Min     uint16      `msgpack:"v"`
	Max     uint16      `msgpack:"V"`
	Node    task.NodeID `msgpack:"i"`
	Cluster string      `msgpack:"c"`
	Name    string      `msgpack:"n"`
	Kind    PeerKind    `msgpack:"k"`
	Boot    string      `msgpack:"b"`           // random, the same for one run of a program
	Plays   []task.Role `msgpack:"r,omitempty"` // what it does now; what it may do stands in its certificate
	Port    uint16      `msgpack:"p,omitempty"` // UDP port it listens on; 0 for a client
	Addrs   []string    `msgpack:"a,omitempty"` // where others may reach it, best first, at most 16
	Build   string      `msgpack:"u,omitempty"` // program version, for people
	Term    uint64      `msgpack:"t,omitempty"` // highest term it has seen
	Sole    bool        `msgpack:"s,omitempty"` // it has no other session with the receiver; one that the receiver still sees is dead
}

func (Hello) WireKind() Kind { return KindHello }

// Welcome answers a Hello: the version to speak from now on, and the same
// claims by the side that was dialled.
type Welcome struct {
	Version uint16 `msgpack:"w"`
	Hello   Hello  `msgpack:"h"`
}

func (Welcome) WireKind() Kind { return KindWelcome }

// Refused answers a Hello that is not accepted.
type Refused struct {
	Kind    task.Kind `msgpack:"k"`
	Message string    `msgpack:"m"`
	Hint    string    `msgpack:"h,omitempty"`
	Known   bool      `msgpack:"d,omitempty"` // a better connection between the two stands already
}

func (Refused) WireKind() Kind { return KindRefused }

// Err is the error that the refusal stands for.
func (r Refused) Err() error { return Fault{Kind: r.Kind, Message: r.Message, Hint: r.Hint}.Err() }

// GoAway says that the sender opens no more streams; those that are open run to
// their end. The other side answers with a GoAway of its own that is Done, once
// it has accepted all Streams and every stream has ended at its side too.
type GoAway struct {
	Reason  string `msgpack:"r,omitempty"`
	Streams uint64 `msgpack:"n,omitempty"` // how many the sender has opened in this session, the control stream not counted
	Done    bool   `msgpack:"d,omitempty"`
}

func (GoAway) WireKind() Kind { return KindGoAway }

// Bounds on what a Hello may claim.
const (
	maxName  = 128
	maxAddrs = 16
	maxShort = 64
	maxRoles = 8
)

// Valid checks the shape of a Hello.
func (h Hello) Valid() error {
	switch {
	case h.Min == 0 || h.Min > h.Max:
		return malformed(fmt.Sprintf("hello with versions %d to %d", h.Min, h.Max))
	case h.Kind != PeerNode && h.Kind != PeerClient:
		return malformed("hello of a peer that is neither node nor client")
	case len(h.Name) > maxName, len(h.Addrs) > maxAddrs, len(h.Plays) > maxRoles:
		return malformed("hello with a field that is too long")
	}
	for _, word := range append([]string{h.Boot, h.Build, h.Cluster, string(h.Node)}, h.Addrs...) {
		if len(word) > maxShort || !plain(word, false) {
			return malformed("hello with an unreadable field")
		}
	}
	if !plain(h.Name, true) {
		return malformed("hello with an unreadable name")
	}
	for _, r := range h.Plays { // words that a later version knows are let pass
		if len(r) > 16 || !plain(string(r), false) {
			return malformed("hello with an unreadable role")
		}
	}
	return nil
}

// plain reports whether a peer's word has nothing in it that could disturb a
// terminal or a log: printable characters, and spaces where they are allowed.
func plain(s string, spaces bool) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) || r == ' ' && !spaces {
			return false
		}
	}
	return true
}

// Negotiate picks the highest version that both windows hold. The refusal names
// both.
func Negotiate(ours, theirs Hello) (uint16, error) {
	v := min(ours.Max, theirs.Max)
	if v >= ours.Min && v >= theirs.Min {
		return v, nil
	}
	old := "the other node"
	if ours.Max < theirs.Max {
		old = "this node"
	}
	return 0, task.Errorf(task.KindConflict, "no common protocol version: %s speaks %s, %s speaks %s",
		speaker(ours), window(ours), speaker(theirs), window(theirs)).
		WithHint("update %s, which is the older one", older(ours, theirs, old))
}

func older(ours, theirs Hello, otherwise string) string {
	h := theirs
	if ours.Max < theirs.Max {
		h = ours
	}
	if h.Name != "" {
		return h.Name
	}
	return otherwise
}

func speaker(h Hello) string {
	name := h.Name
	if name == "" {
		name = h.Node.Short()
	}
	if h.Build == "" {
		return name
	}
	return name + " (octaskly " + h.Build + ")"
}

func window(h Hello) string {
	if h.Min == h.Max {
		return fmt.Sprintf("version %d", h.Min)
	}
	return fmt.Sprintf("versions %d to %d", h.Min, h.Max)
}
