package wire

import (
	"encoding/binary"
	"fmt"

	"github.com/adauldev/octaskly/queue/task"
)

// The kinds of an rpc stream. The opener sends requests, each with a number of
// its choice that is unique on the stream; the acceptor answers each with one
// Reply or one Failure of the same number, in any order, or with Items until an
// Ended or a Failure. After a request that announces an upload as many raw bytes
// follow as it says, and nothing else may be under way on that stream.
//
// What can be requested, under which of the kinds from firstRequest to
// lastRequest, stands in the table of node/control; whoever speaks it registers
// it by RegisterRequest. An answer that is larger than a frame comes as Parts.
const (
	firstRequest Kind = 32
	lastRequest  Kind = 87

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
	// User is on whose behalf a node asks, as it knows its users; empty is its own.
	User string `msgpack:"u,omitempty"`
	Body T      `msgpack:"b"`
}

func (r Request[T]) WireKind() Kind { return r.Kind }

// Reply answers the request with the same Seq.
type Reply[T any] struct {
	Seq  uint64 `msgpack:"q"`
	Body T      `msgpack:"b"`
}

func (Reply[T]) WireKind() Kind { return KindReply }

// Item is one of several answers to the request with the same Seq.
type Item[T any] struct {
	Seq  uint64 `msgpack:"q"`
	Body T      `msgpack:"b"`
}

func (Item[T]) WireKind() Kind { return KindItem }

// Ended says that no more Items follow.
type Ended struct {
	Seq uint64 `msgpack:"q"`
}

func (Ended) WireKind() Kind { return KindEnded }

// Part is a piece of an answer that is larger than a frame. Put together, the
// pieces are the body of a frame of kind Of.
type Part struct {
	Seq  uint64 `msgpack:"q"`
	Of   Kind   `msgpack:"k"`
	More bool   `msgpack:"m,omitempty"`
	Data []byte `msgpack:"d"`
}

func (Part) WireKind() Kind { return KindPart }

// Failure answers the request with the same Seq by an error.
type Failure struct {
	Seq   uint64 `msgpack:"q"`
	Fault Fault  `msgpack:"f"`
}

func (Failure) WireKind() Kind { return KindFailure }

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

// Head is what stands beside the body of a request, a reply or an item.
type Head struct {
	Seq, Lane uint64
	User      string // at most MaxUser bytes
}

// MaxUser is how long the name of a user may be, in bytes.
const MaxUser = 128

// OpenBody takes a request, a reply or an item apart. The body is a frame of the
// same kind, to be decoded by DecodeInto; it shares the memory of f.
func OpenBody(f Frame) (head Head, body Frame, err error) {
	h, err := readHead(f.Body)
	if err != nil || !h.isMap() {
		return head, body, malformed(f.Kind.String() + " is no map")
	}
	b := f.Body[h.size:]
	for range h.kids / 2 {
		key, rest, err := cutValue(b)
		if err != nil {
			return head, body, err
		}
		value, rest, err := cutValue(rest)
		if err != nil {
			return head, body, err
		}
		b = rest
		if len(key) != 2 || key[0] != 0xa1 {
			continue // of a later version
		}
		switch key[1] {
		case 'q':
			head.Seq, err = readUint(value)
		case 'l':
			head.Lane, err = readUint(value)
		case 'u':
			head.User, err = readShortString(value)
		case 'b':
			body = Frame{Kind: f.Kind, Body: value}
		}
		if err != nil {
			return head, body, err
		}
	}
	if body.Body == nil {
		return head, body, malformed(f.Kind.String() + " without a body")
	}
	return head, body, nil
}

// cutValue splits b behind its first value.
func cutValue(b []byte) (value, rest []byte, err error) {
	if rest, err = skipValue(b); err != nil {
		return nil, nil, err
	}
	return b[:len(b)-len(rest)], rest, nil
}

func readUint(b []byte) (uint64, error) {
	c := b[0]
	switch {
	case c < 0x80:
		return uint64(c), nil
	case c >= 0xcc && c <= 0xcf:
		var wide [8]byte
		copy(wide[8-(len(b)-1):], b[1:])
		return binary.BigEndian.Uint64(wide[:]), nil
	}
	return 0, malformed("a number is something else")
}

func readShortString(b []byte) (string, error) {
	h, err := readHead(b)
	if err != nil || !h.isString() || h.skip > MaxUser {
		return "", malformed("a name is too long or no text")
	}
	return string(b[h.size:]), nil
}

// RegisterRequest makes a kind known that is given out in the table of requests.
// largest is the size of its largest frame in bytes; 0 is LimitAfter. It is for init functions.
func RegisterRequest(kind Kind, name string, largest int) {
	if kind < firstRequest || kind > lastRequest {
		panic(fmt.Sprintf("wire: the request %s has the number %d, which is not one of a request", name, kind))
	}
	register(Info{Kind: kind, Name: name, Stream: StreamRPC, From: Opener, Max: largest})
}

func init() {
	register(
		Info{Kind: KindReply, Name: "reply", Stream: StreamRPC, From: Acceptor},
		Info{Kind: KindItem, Name: "item", Stream: StreamRPC, From: Acceptor},
		Info{Kind: KindEnded, Name: "ended", Stream: StreamRPC, From: Acceptor, Max: 64},
		Info{Kind: KindPart, Name: "part", Stream: StreamRPC, From: Acceptor},
		Info{Kind: KindFailure, Name: "failure", Stream: StreamRPC, From: Acceptor, Max: maxFault},
	)
}
