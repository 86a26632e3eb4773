package wire

import (
	"encoding/binary"
	"errors"
)

// Bounds on one body. A batch of 1,000 results, each with about 60 keys and
// values, has to fit.
const (
	maxDepth    = 16
	maxElements = 1 << 18 // values of every kind, keys included
)

// ErrMalformed is wrapped by every error that says a peer sent something that
// is not a frame of ours.
var ErrMalformed = errors.New("malformed frame")

var (
	errTruncated = malformed("a value is cut off")
	errDeep      = malformed("nested too deeply")
	errCount     = malformed("a count is larger than what follows")
	errMany      = malformed("too many values")
	errExt       = malformed("a type that is not used here")
	errTrailing  = malformed("bytes after the value")
)

type malformedError string

func malformed(s string) error              { return malformedError(s) }
func (e malformedError) Error() string      { return ErrMalformed.Error() + ": " + string(e) }
func (malformedError) Is(target error) bool { return target == ErrMalformed }

// Check walks one msgpack value without allocating or recursing. It refuses
// nesting deeper than 16, counts that cannot fit into the bytes left, more than
// maxElements values, extension types, and bytes after the value. The msgpack
// library has none of these limits, so nothing from outside reaches it
// unchecked.
func Check(b []byte) error {
	var left [maxDepth + 1]uint64 // values still to read, per level
	left[0] = 1
	depth, budget := 0, uint64(maxElements)
	for {
		for depth > 0 && left[depth] == 0 {
			depth--
		}
		if left[depth] == 0 {
			if len(b) != 0 {
				return errTrailing
			}
			return nil
		}
		left[depth]--
		h, err := readHead(b)
		if err != nil {
			return err
		}
		b = b[h.size:]
		switch {
		case h.skip > uint64(len(b)):
			return errTruncated
		case h.kids > uint64(len(b)):
			return errCount
		case h.kids > budget:
			return errMany
		}
		b = b[h.skip:]
		if h.container {
			if depth == maxDepth {
				return errDeep
			}
			budget -= h.kids
			depth++
			left[depth] = h.kids
		}
	}
}

// head is the first bytes of a msgpack value.
type head struct {
	size      int    // bytes of the head itself
	skip      uint64 // bytes of payload that follow (strings, binaries, numbers)
	kids      uint64 // values inside; a map has two for each entry
	container bool
	code      byte
}

// readHead reads the head of the value that b begins with.
func readHead(b []byte) (head, error) {
	if len(b) == 0 {
		return head{}, errTruncated
	}
	c := b[0]
	switch {
	case c < 0x80 || c >= 0xe0: // small numbers
		return head{size: 1, code: c}, nil
	case c < 0x90:
		return head{size: 1, kids: 2 * uint64(c&15), container: true, code: c}, nil
	case c < 0xa0:
		return head{size: 1, kids: uint64(c & 15), container: true, code: c}, nil
	case c < 0xc0:
		return head{size: 1, skip: uint64(c & 31), code: c}, nil
	}
	f := forms[c-0xc0]
	if !f.used {
		return head{}, errExt
	}
	h := head{size: 1 + int(f.length), skip: uint64(f.fixed), container: f.each > 0, code: c}
	if len(b) < h.size {
		return head{}, errTruncated
	}
	n := bigEndian(b[1:h.size])
	if h.container {
		h.kids = n * uint64(f.each)
	} else {
		h.skip += n
	}
	return h, nil
}

func bigEndian(b []byte) uint64 {
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.BigEndian.Uint16(b))
	case 4:
		return uint64(binary.BigEndian.Uint32(b))
	}
	return 0
}

// form is how the codes from 0xc0 to 0xdf continue.
type form struct {
	used   bool
	length uint8 // bytes of a length or count after the code
	fixed  uint8 // bytes of payload after that
	each   uint8 // values per counted item: 1 in an array, 2 in a map
}

var forms = [32]form{
	0x00: {used: true},            // nil
	0x02: {used: true},            // false
	0x03: {used: true},            // true
	0x04: {used: true, length: 1}, // binaries
	0x05: {used: true, length: 2},
	0x06: {used: true, length: 4},
	0x0a: {used: true, fixed: 4}, // floats
	0x0b: {used: true, fixed: 8},
	0x0c: {used: true, fixed: 1}, // unsigned
	0x0d: {used: true, fixed: 2},
	0x0e: {used: true, fixed: 4},
	0x0f: {used: true, fixed: 8},
	0x10: {used: true, fixed: 1}, // signed
	0x11: {used: true, fixed: 2},
	0x12: {used: true, fixed: 4},
	0x13: {used: true, fixed: 8},
	0x19: {used: true, length: 1}, // strings
	0x1a: {used: true, length: 2},
	0x1b: {used: true, length: 4},
	0x1c: {used: true, length: 2, each: 1}, // arrays
	0x1d: {used: true, length: 4, each: 1},
	0x1e: {used: true, length: 2, each: 2}, // maps
	0x1f: {used: true, length: 4, each: 2},
}
