package discover

import (
	"encoding/binary"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/adauldev/octaskly/queue/task"
)

// A probe packet, and its answer, begin with a byte that QUIC never begins with:
//
//	0    1 byte   0x00
//	1    3 bytes  "OCT"
//	4    1 byte   'P' probe, 'A' answer
//	5    1 byte   form of the packet: 1
//	6    2 bytes  highest protocol version spoken, big endian
//	8    1 byte   1 asks to join, 2 dispatches, 4 only looks around
//	9    2 bytes  UDP port it listens on
//	11   8 bytes  chosen by the prober, repeated in the answer
//	19   52 bytes node id
//	71   52 bytes cluster id, or zeros
//	123  1 byte   length of the name, at most 64
//	124  …        name, then zeros; a probe has probeSize bytes, an answer fewer
//
// A probe is never smaller than its answer, so that nobody can use a node to
// flood another address.
const (
	probeSize  = 192
	nameAt     = 124
	maxName    = 64
	idLen      = 52
	kindProbe  = 'P'
	kindAnswer = 'A'

	flagAsks       = 1
	flagDispatches = 2
	flagLooks      = 4
)

var errPacket = errors.New("not a packet of ours")

// packet is a probe or an answer.
type packet struct {
	Self
	kind  byte
	nonce uint64
}

// encode writes a packet; names are cut.
func (p packet) encode() []byte {
	b := make([]byte, nameAt, probeSize)
	copy(b, "\x00OCT")
	b[4], b[5] = p.kind, 1
	binary.BigEndian.PutUint16(b[6:], p.Version)
	if p.Asks {
		b[8] |= flagAsks
	}
	if p.Dispatches {
		b[8] |= flagDispatches
	}
	if p.Looks {
		b[8] |= flagLooks
	}
	binary.BigEndian.PutUint16(b[9:], p.Port)
	binary.BigEndian.PutUint64(b[11:], p.nonce)
	copy(b[19:71], p.Node)
	copy(b[71:123], p.Cluster)
	name := cutName(p.Name)
	b[123] = byte(len(name))
	b = append(b, name...)
	if p.kind == kindProbe {
		b = b[:probeSize]
	}
	return b
}

// decode reads a packet in exactly the form that encode writes.
func decode(b []byte) (packet, error) {
	if len(b) < nameAt || len(b) > probeSize || string(b[:4]) != "\x00OCT" || b[5] != 1 || b[8] > flagAsks|flagDispatches|flagLooks {
		return packet{}, errPacket
	}
	p := packet{kind: b[4], nonce: binary.BigEndian.Uint64(b[11:])}
	p.Version, p.Port = binary.BigEndian.Uint16(b[6:]), binary.BigEndian.Uint16(b[9:])
	p.Asks, p.Dispatches = b[8]&flagAsks != 0, b[8]&flagDispatches != 0
	p.Looks = b[8]&flagLooks != 0
	p.Node = task.NodeID(b[19:71])
	p.Cluster = strings.TrimRight(string(b[71:123]), "\x00")
	end := nameAt + int(b[123])
	if p.kind != kindProbe && p.kind != kindAnswer || b[123] > maxName || end > len(b) {
		return packet{}, errPacket
	}
	p.Name = string(b[nameAt:end])
	if p.kind == kindProbe && len(b) != probeSize || p.kind == kindAnswer && len(b) != end || strings.Trim(string(b[end:]), "\x00") != "" {
		return packet{}, errPacket
	}
	if !p.valid() {
		return packet{}, errPacket
	}
	return p, nil
}

// valid checks what a stranger says of itself.
func (s Self) valid() bool {
	return isID(string(s.Node)) && (s.Cluster == "" || isID(s.Cluster)) && s.Port != 0 && s.Version != 0 && s.Name == cutName(s.Name)
}

func isID(s string) bool {
	return len(s) == idLen && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// cutName makes a name fit to be sent and shown: printable, at most 64 bytes.
func cutName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	for len(s) > maxName {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}
