package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
	"sync"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/adauldev/octaskly/queue/task"
)

// headerLen is the length and the kind.
const headerLen = 5

// Message is a body with a name. Implementations are plain structs with
// msgpack tags of one or two letters and no field of interface type.
type Message interface{ WireKind() Kind }

// Frame is one received message, checked but not decoded. Body belongs to the
// stream and is valid until the next Recv.
type Frame struct {
	Kind Kind
	Body []byte
}

// Append adds m as one frame to dst. It fails when the frame would be larger
// than its kind allows, and then dst is returned as it was.
func Append(dst []byte, m Message) ([]byte, error) {
	k := m.WireKind()
	info, ok := k.Info()
	if !ok {
		return dst, task.Errorf(task.KindInternal, "wire: %T has the unregistered kind %d", m, k)
	}
	e := encoders.Get().(*encoder)
	defer e.release()
	e.buf.Reset()
	e.enc.ResetWriter(&e.buf)
	if err := e.enc.Encode(m); err != nil {
		return dst, task.Errorf(task.KindInternal, "wire: encode %s: %w", k, err)
	}
	size := 1 + e.buf.Len()
	if size > info.Max {
		return dst, task.Errorf(task.KindTooLarge, "a %s message of %d bytes is over its limit of %d", k, size, info.Max)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(size))
	dst = append(dst, byte(k))
	return append(dst, e.buf.Bytes()...), nil
}

type encoder struct {
	buf bytes.Buffer
	enc *msgpack.Encoder
}

var encoders = sync.Pool{New: func() any {
	e := &encoder{}
	e.enc = msgpack.NewEncoder(&e.buf)
	e.enc.UseCompactInts(true)
	e.enc.UseCompactFloats(true)
	return e
}}

// keepBuffer is the largest buffer that is kept for reuse.
const keepBuffer = 64 << 10

func (e *encoder) release() {
	if e.buf.Cap() <= keepBuffer {
		encoders.Put(e)
	}
}

type decoder struct {
	r   bytes.Reader
	dec *msgpack.Decoder
}

var decoders = sync.Pool{New: func() any {
	d := &decoder{}
	d.dec = msgpack.NewDecoder(&d.r)
	return d
}}

// Decode reads a frame that came from Recv into a message. The result shares
// no memory with the frame. It fails with ErrMalformed when the body does not
// fit the message, or would need far more memory than it has bytes.
func Decode[T any](f Frame, into *T) error {
	s, err := shapeOf(reflect.TypeFor[T]())
	if err != nil {
		return err
	}
	return decodeShaped(f, s, into)
}

// DecodeInto is Decode for a pointer whose type is known at run time only.
func DecodeInto(f Frame, into any) error {
	s, err := shapeOf(reflect.TypeOf(into).Elem())
	if err != nil {
		return err
	}
	return decodeShaped(f, s, into)
}

// decodeShaped decodes into a pointer to a type that has the shape s.
func decodeShaped(f Frame, s *shape, into any) error {
	if _, _, err := s.weigh(f.Body, weightLimit(len(f.Body))); err != nil {
		return fmt.Errorf("%s: %w", f.Kind, err)
	}
	d := decoders.Get().(*decoder)
	defer decoders.Put(d)
	d.r.Reset(f.Body)
	d.dec.ResetReader(&d.r)
	if err := d.dec.Decode(into); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrMalformed, f.Kind, err)
	}
	return nil
}
