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
	buf := make([]byte, nameAt, probeSize)
	copy(buf, "\x00OCT")
	buf[4], buf[5] = p.kind, 1
	binary.BigEndian.PutUint16(buf[6:], p.Version)
	if p.Asks {
		buf[8] |= flagAsks
	}
	if p.Dispatches {
		buf[8] |= flagDispatches
	}
	if p.Looks {
		buf[8] |= flagLooks
	}
	binary.BigEndian.PutUint16(buf[9:], p.Port)
	binary.BigEndian.PutUint64(buf[11:], p.nonce)
	copy(buf[19:71], p.Node)
	copy(buf[71:123], p.Cluster)
	name := cutName(p.Name)
	buf[123] = byte(len(name))
	buf = append(buf, name...)
	if p.kind == kindProbe {
		buf = buf[:probeSize]
	}
	return buf
}

// decode reads a packet in exactly the form that encode writes.
func decode(data []byte) (packet, error) {
	if len(data) < nameAt || len(data) > probeSize || string(data[:4]) != "\x00OCT" || data[5] != 1 || data[8] > flagAsks|flagDispatches|flagLooks {
		return packet{}, errPacket
	}
	got := packet{kind: data[4], nonce: binary.BigEndian.Uint64(data[11:])}
	got.Version, got.Port = binary.BigEndian.Uint16(data[6:]), binary.BigEndian.Uint16(data[9:])
	got.Asks, got.Dispatches = data[8]&flagAsks != 0, data[8]&flagDispatches != 0
	got.Looks = data[8]&flagLooks != 0
	got.Node = task.NodeID(data[19:71])
	got.Cluster = strings.TrimRight(string(data[71:123]), "\x00")
	end := nameAt + int(data[123])
	if got.kind != kindProbe && got.kind != kindAnswer || data[123] > maxName || end > len(data) {
		return packet{}, errPacket
	}
	got.Name = string(data[nameAt:end])
	if got.kind == kindProbe && len(data) != probeSize || got.kind == kindAnswer && len(data) != end || strings.Trim(string(data[end:]), "\x00") != "" {
		return packet{}, errPacket
	}
	if !got.valid() {
		return packet{}, errPacket
	}
	return got, nil
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
