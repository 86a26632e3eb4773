package wire

import (
	"encoding/binary"
	"errors"
	"io"
)

// The kinds of an output stream. The worker opens one for each attempt whose
// output is not small: OutputOpen, answered by OutputHave, then the raw chunk
// stream from that offset to its end.
const (
	KindOutputOpen Kind = 96
	KindOutputHave Kind = 97
)

// OutputOpen says whose output follows.
type OutputOpen struct {
	Lease
	Ended bool `msgpack:"e,omitempty"` // the attempt has ended: the stream is complete at its end
}

// OutputHave says from which offset of the chunk stream to send. Wanted false
// means that nobody wants it any more.
type OutputHave struct {
	Offset int64 `msgpack:"o"`
	Wanted bool  `msgpack:"w"`
}

func (OutputOpen) WireKind() Kind { return KindOutputOpen }
func (OutputHave) WireKind() Kind { return KindOutputHave }

func init() {
	register(
		Info{Kind: KindOutputOpen, Name: "output-open", Stream: StreamOutput, From: Opener, Max: 1 << 10},
		Info{Kind: KindOutputHave, Name: "output-have", Stream: StreamOutput, From: Acceptor, Max: 1 << 10},
	)
}

// A chunk stream is what an attempt wrote, in the order in which it was read:
//
//	1 byte   stream: 1 stdout, 2 stderr, 0 so many bytes were dropped here
//	8 bytes  worker's clock, Unix milliseconds, big endian
//	4 bytes  length of the data, big endian, at most MaxChunk
//	…        data; for stream 0, eight bytes: how many were dropped
//
// It is the same in the worker's spool, on the wire, in the dispatcher's files
// and in the result record.
const (
	ChunkHeader = 13
	MaxChunk    = 1 << 20
)

// ErrChunk says that a chunk stream is damaged.
var ErrChunk = errors.New("damaged output stream")

// AppendChunk adds one chunk to dst. Data longer than MaxChunk is cut into
// several.
func AppendChunk(dst []byte, stream uint8, unixMs int64, data []byte) []byte {
	for {
		n := min(len(data), MaxChunk)
		dst = append(dst, stream)
		dst = binary.BigEndian.AppendUint64(dst, uint64(unixMs))
		dst = binary.BigEndian.AppendUint32(dst, uint32(n))
		dst = append(dst, data[:n]...)
		if data = data[n:]; len(data) == 0 {
			return dst
		}
	}
}

// AppendSkipped adds a mark that n bytes were dropped here.
func AppendSkipped(dst []byte, unixMs, n int64) []byte {
	return AppendChunk(dst, 0, unixMs, binary.BigEndian.AppendUint64(nil, uint64(n)))
}

// A Chunk is one entry of a chunk stream.
type Chunk struct {
	Stream  uint8
	Time    int64 // worker's clock, Unix ms
	Data    []byte
	Skipped int64 // bytes dropped here; Data is empty then
}

// CutChunk takes the first chunk off b without copying. It returns
// io.ErrUnexpectedEOF while b holds only a part of one, and ErrChunk for what
// cannot be a chunk stream.
func CutChunk(b []byte) (c Chunk, rest []byte, err error) {
	if len(b) < ChunkHeader {
		return c, b, io.ErrUnexpectedEOF
	}
	n := int(binary.BigEndian.Uint32(b[9:]))
	c = Chunk{Stream: b[0], Time: int64(binary.BigEndian.Uint64(b[1:]))}
	if c.Stream > 2 || n > MaxChunk || (c.Stream == 0 && n != 8) {
		return Chunk{}, b, ErrChunk
	}
	if len(b) < ChunkHeader+n {
		return Chunk{}, b, io.ErrUnexpectedEOF
	}
	c.Data = b[ChunkHeader : ChunkHeader+n]
	if c.Stream == 0 {
		c.Skipped, c.Data = int64(binary.BigEndian.Uint64(c.Data)), nil
	}
	return c, b[ChunkHeader+n:], nil
}
