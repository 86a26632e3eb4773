package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// readBuffer is what a stream reads ahead; it bounds the system calls a burst
// of small frames costs, and the memory an idle stream holds.
const readBuffer = 4 << 10

// Framing is the part of a Stream that turns bytes into frames and back.
type Framing struct {
	r     *bufio.Reader // owned by the receiver
	w     io.Writer     // owned by the sender
	limit int
	// stream and peer restrict what may come; AnyStream and BothEnds do not.
	stream StreamKind
	peer   End
	kind   Kind   // of the frame that is being read
	want   int    // bytes of its body; 0 between frames
	body   []byte // owned by the receiver; lent out as Frame.Body
	out    []byte // owned by the sender
}

// NewFraming reads frames from r and writes frames to w.
func NewFraming(r io.Reader, w io.Writer, limit int) *Framing {
	return &Framing{r: bufio.NewReaderSize(r, readBuffer), w: w, limit: limit, peer: BothEnds}
}

// Restrict makes Recv refuse kinds that do not belong on this kind of stream or
// that the peer's end may not send. To be called before the first Recv.
func (f *Framing) Restrict(stream StreamKind, peer End) { f.stream, f.peer = stream, peer }

// SetLimit changes the largest frame that Recv accepts; for the receiver only.
func (f *Framing) SetLimit(limit int) { f.limit = limit }

func (f *Framing) Send(m Message) error {
	out, err := Append(f.out[:0], m)
	if err != nil {
		return err
	}
	if cap(out) <= keepBuffer {
		f.out = out
	}
	_, err = f.w.Write(out)
	return err
}

// Recv may be called again after a deadline and goes on where it was.
func (f *Framing) Recv() (Frame, error) {
	if f.want == 0 {
		if err := f.readHead(); err != nil {
			return Frame{}, err
		}
	}
	if err := f.readBody(f.want); err != nil {
		return Frame{}, err
	}
	f.want = 0
	if err := Check(f.body); err != nil {
		return Frame{}, fmt.Errorf("%s: %w", f.kind, err)
	}
	return Frame{Kind: f.kind, Body: f.body}, nil
}

// readHead reads the header of the next frame and decides whether its body is
// worth reading.
func (f *Framing) readHead() error {
	head, err := f.r.Peek(headerLen)
	if err != nil {
		if len(head) > 0 {
			err = cutOff(err)
		}
		return err
	}
	size, kind := binary.BigEndian.Uint32(head), Kind(head[4])
	if err := f.admit(size, kind); err != nil {
		return err
	}
	_, _ = f.r.Discard(headerLen)
	f.kind, f.want = kind, int(size)-1
	if cap(f.body) > keepBuffer && f.want <= keepBuffer {
		f.body = nil
	}
	f.body = f.body[:0]
	return nil
}

// admit decides from the header alone whether the body is worth reading.
func (f *Framing) admit(size uint32, kind Kind) error {
	info, known := kind.Info()
	switch {
	case !known:
		return malformed(fmt.Sprintf("kind %d is unknown", uint8(kind)))
	case size < 2:
		return malformed("it has no body")
	case size > uint32(f.limit) || size > uint32(info.Max):
		return malformed(fmt.Sprintf("%s of %d bytes, at most %d are taken", kind, size, min(f.limit, info.Max)))
	case f.stream != AnyStream && info.Stream != AnyStream && info.Stream != f.stream:
		return malformed(fmt.Sprintf("%s on a %s stream", kind, f.stream))
	case info.From&f.peer == 0:
		return malformed(fmt.Sprintf("%s from the wrong end of a %s stream", kind, f.stream))
	}
	return nil
}

// readBody fills f.body up to n bytes. Memory follows the bytes that have really
// come, so a length alone costs nothing.
func (f *Framing) readBody(n int) error {
	for len(f.body) < n {
		at := len(f.body)
		step := min(n-at, max(cap(f.body)-at, at, readBuffer))
		f.body = slices.Grow(f.body, step)[:at+step]
		got, err := io.ReadFull(f.r, f.body[at:])
		f.body = f.body[:at+got]
		if err != nil {
			return cutOff(err)
		}
	}
	return nil
}

func (f *Framing) Read(p []byte) (int, error) { return f.r.Read(p) }

func (f *Framing) Write(p []byte) (int, error) { return f.w.Write(p) }

func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
