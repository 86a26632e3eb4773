package state

import "encoding/binary"

// The store's keys. Numbers are big-endian, so that they sort.
//
//	b first            a block of specs: the tasks of one submit, see block.go
//	s id               where a task stands, see record.go; none while it waits for its first attempt
//	a id attempt       an attempt that was not the last one
//	M node             a member
//	R node             a revocation
//	I id               an invite
//	C name             a value about the cluster
//	v                  version of this layout
//	z                  position in the log, next number, sum over all records but v and z
const (
	kindBlock    = 'b'
	kindState    = 's'
	kindAttempt  = 'a'
	kindMember   = 'M'
	kindRevoked  = 'R'
	kindInvite   = 'I'
	kindMeta     = 'C'
	kindVersion  = 'v'
	kindPosition = 'z'
)

const layoutVersion = 2

// numKey is a key made of numbers.
type numKey struct {
	id   uint64
	sub  uint32
	kind byte
}

func (k numKey) append(b []byte) []byte {
	b = append(b, k.kind)
	b = binary.BigEndian.AppendUint64(b, k.id)
	if k.kind == kindAttempt {
		b = binary.BigEndian.AppendUint32(b, k.sub)
	}
	return b
}

func parseNumKey(b []byte) (numKey, bool) {
	if len(b) < 9 {
		return numKey{}, false
	}
	k := numKey{kind: b[0], id: binary.BigEndian.Uint64(b[1:])}
	switch {
	case (k.kind == kindBlock || k.kind == kindState) && len(b) == 9:
		return k, true
	case k.kind == kindAttempt && len(b) == 13:
		k.sub = binary.BigEndian.Uint32(b[9:])
		return k, true
	}
	return numKey{}, false
}
