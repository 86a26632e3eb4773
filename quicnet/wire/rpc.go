package wire

import (
	"encoding/binary"

	"github.com/adauldev/octaskly/queue/task"
)

// The kinds of an rpc stream. The opener sends requests, each with a number of
// its choice that is unique on the stream; the acceptor answers each with one
// Reply or one Failure of the same number, in any order. Follow, Events and
// Offers are answered with Items until an Ended or a Failure. After PutBlob as many raw bytes
// follow as it says, and nothing else may be under way on that stream.
//
// An answer that is larger than a frame comes as Parts.
const (
	KindSubmit   Kind = 32
	KindGet      Kind = 33
	KindList     Kind = 34
	KindCancel   Kind = 35
	KindWhy      Kind = 36
	KindFollow   Kind = 37
	KindPutBlob  Kind = 38
	KindNodes    Kind = 40
	KindDrain    Kind = 41
	KindUndrain  Kind = 42
	KindRemove   Kind = 43
	KindAdmit    Kind = 44
	KindInvite   Kind = 45
	KindStatus   Kind = 48
	KindEvents   Kind = 49
	KindIdentity Kind = 56
	KindPromote  Kind = 57
	KindHalt     Kind = 58
	KindOffers   Kind = 59
	KindDecide   Kind = 60

	KindReply   Kind = 88
	KindItem    Kind = 89
	KindEnded   Kind = 90
	KindPart    Kind = 91
	KindFailure Kind = 92
)

// Bounds on an answer in parts: its bytes, and those of one part.
const (
	MaxParts = 16 << 20
	partSize = 256 << 10
)

// Request asks for one thing. What Body is follows from Kind.
type Request[T any] struct {
	Kind Kind   `msgpack:"-"`
	Seq  uint64 `msgpack:"q"`
	// Lane, when it is not 0, orders requests: those of one lane are carried out
	// one after the other as they came, while others go on beside them.
	Lane uint64 `msgpack:"l,omitempty"`
	Body T      `msgpack:"b"`
}

// WireKind implements Message.
func (r Request[T]) WireKind() Kind { return r.Kind }

// Reply answers the request with the same Seq.
type Reply[T any] struct {
	Seq  uint64 `msgpack:"q"`
	Body T      `msgpack:"b"`
}

// WireKind implements Message.
func (Reply[T]) WireKind() Kind { return KindReply }

// Item is one of several answers to the request with the same Seq.
type Item[T any] struct {
	Seq  uint64 `msgpack:"q"`
	Body T      `msgpack:"b"`
}

// WireKind implements Message.
func (Item[T]) WireKind() Kind { return KindItem }

// Ended says that no more Items follow.
type Ended struct {
	Seq uint64 `msgpack:"q"`
}

// WireKind implements Message.
func (Ended) WireKind() Kind { return KindEnded }

// Part is a piece of an answer that is larger than a frame. Put together, the
// pieces are the body of a frame of kind Of.
type Part struct {
	Seq  uint64 `msgpack:"q"`
	Of   Kind   `msgpack:"k"`
	More bool   `msgpack:"m,omitempty"`
	Data []byte `msgpack:"d"`
}

// WireKind implements Message.
func (Part) WireKind() Kind { return KindPart }

// Failure answers the request with the same Seq by an error.
type Failure struct {
	Seq   uint64 `msgpack:"q"`
	Fault Fault  `msgpack:"f"`
}

// WireKind implements Message.
func (Failure) WireKind() Kind { return KindFailure }

// Bodies of requests and replies that have no type of their own elsewhere.
type (
	// Empty is a body without content.
	Empty struct{}
	// TaskArg names a task.
	TaskArg struct {
		ID task.ID `msgpack:"i"`
	}
	// NodeArg names a node by name or id.
	NodeArg struct {
		Node string `msgpack:"n"`
	}
	// AdmitArg is the code that a node shows and the name to give it.
	AdmitArg struct {
		Code string `msgpack:"c"`
		Name string `msgpack:"n,omitempty"`
	}
	// HaltArg says how to stop.
	HaltArg struct {
		Now bool `msgpack:"n,omitempty"`
	}
	// DecideArg answers an offer.
	DecideArg struct {
		Offer uint64 `msgpack:"o"`
		Yes   bool   `msgpack:"y,omitempty"`
	}
	// BlobArg says how many raw bytes follow.
	BlobArg struct {
		Size int64 `msgpack:"s"`
	}
	// BlobRef names stored content.
	BlobRef struct {
		Ref string `msgpack:"r"`
	}
)

// SeqOf reads the number of any message of an rpc stream without decoding it.
// The number has to be the first entry of the body.
func SeqOf(f Frame) (uint64, error) {
	b := f.Body
	if len(b) < 4 || b[0]&0xf0 != 0x80 || b[0] == 0x80 || b[1] != 0xa1 || b[2] != 'q' {
		return 0, malformed(f.Kind.String() + " without a number")
	}
	c, rest := b[3], b[4:]
	if c < 0x80 {
		return uint64(c), nil
	}
	if c < 0xcc || c > 0xcf {
		return 0, malformed(f.Kind.String() + " without a number")
	}
	n := 1 << (c - 0xcc)
	if len(rest) < n {
		return 0, errTruncated
	}
	var wide [8]byte
	copy(wide[8-n:], rest[:n])
	return binary.BigEndian.Uint64(wide[:]), nil
}

// AppendAnswer adds an answer with this number to dst, as one frame or in parts.
func AppendAnswer(dst []byte, seq uint64, m Message) ([]byte, error) {
	out, err := Append(dst, m)
	if err == nil || task.KindOf(err) != task.KindTooLarge {
		return out, err
	}
	return appendParts(dst, seq, m)
}

func appendParts(dst []byte, seq uint64, m Message) ([]byte, error) {
	e := encoders.Get().(*encoder)
	defer e.release()
	e.buf.Reset()
	e.enc.ResetWriter(&e.buf)
	if err := e.enc.Encode(m); err != nil {
		return dst, task.Errorf(task.KindInternal, "wire: encode %s: %w", m.WireKind(), err)
	}
	body := e.buf.Bytes()
	if len(body) > MaxParts {
		return dst, task.Errorf(task.KindTooLarge, "an answer of %d bytes is over the limit of %d", len(body), MaxParts)
	}
	if err := Check(body); err != nil {
		return dst, task.Errorf(task.KindTooLarge, "an answer of %d bytes has too many parts: %w", len(body), err)
	}
	out := dst
	for len(body) > 0 {
		n := min(len(body), partSize)
		p := Part{Seq: seq, Of: m.WireKind(), More: n < len(body), Data: body[:n]}
		var err error
		if out, err = Append(out, p); err != nil {
			return dst, err
		}
		body = body[n:]
	}
	return out, nil
}

// Join puts a part behind those that came before it. Once it is the last one,
// whole is true and frame is what they make, checked; frame then owns the bytes.
func (p Part) Join(before []byte) (all []byte, frame Frame, whole bool, err error) {
	if len(before)+len(p.Data) > MaxParts || len(p.Data) == 0 {
		return nil, Frame{}, false, malformed("an answer in parts that is too large or has an empty part")
	}
	all = append(before, p.Data...)
	if p.More {
		return all, Frame{}, false, nil
	}
	if err := Check(all); err != nil {
		return nil, Frame{}, false, err
	}
	return nil, Frame{Kind: p.Of, Body: all}, true, nil
}

func init() {
	for _, r := range []struct {
		kind Kind
		name string
		max  int
	}{
		{KindSubmit, "submit", 0},
		{KindGet, "get", 1 << 10},
		{KindList, "list", 64 << 10},
		{KindCancel, "cancel", 0},
		{KindWhy, "why", 1 << 10},
		{KindFollow, "follow", 1 << 10},
		{KindPutBlob, "put-blob", 1 << 10},
		{KindNodes, "nodes", 1 << 10},
		{KindDrain, "drain", 1 << 10},
		{KindUndrain, "undrain", 1 << 10},
		{KindRemove, "remove", 1 << 10},
		{KindAdmit, "admit", 1 << 10},
		{KindInvite, "invite", 1 << 10},
		{KindStatus, "status", 1 << 10},
		{KindEvents, "events", 1 << 10},
		{KindIdentity, "identity", 1 << 10},
		{KindPromote, "promote", 1 << 10},
		{KindHalt, "halt", 1 << 10},
		{KindOffers, "offers", 1 << 10},
		{KindDecide, "decide", 1 << 10},
	} {
		register(Info{Kind: r.kind, Name: r.name, Stream: StreamRPC, From: Opener, Max: r.max})
	}
	register(
		Info{Kind: KindReply, Name: "reply", Stream: StreamRPC, From: Acceptor},
		Info{Kind: KindItem, Name: "item", Stream: StreamRPC, From: Acceptor},
		Info{Kind: KindEnded, Name: "ended", Stream: StreamRPC, From: Acceptor, Max: 64},
		Info{Kind: KindPart, Name: "part", Stream: StreamRPC, From: Acceptor},
		Info{Kind: KindFailure, Name: "failure", Stream: StreamRPC, From: Acceptor, Max: maxFault},
	)
}
