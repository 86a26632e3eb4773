package state

import (
	"bytes"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/adauldev/octaskly/queue/task"
)

// A block is the tasks of one submit as they are stored: once, never changed.
//
//	time      varint   Unix ms
//	by        string   principal
//	classes   count, each: need (msgpack), priority, delivery
//	tasks     count, each: class number, retry terms, key, spec (msgpack)
//
// Everything that memory needs stands before the spec, so that a start reads a
// million tasks without decoding one spec. In commands and in the store a
// block is preceded by one byte: 0, or 1 if the rest is compressed (S2). Only
// proposers compress, so that replicas store the same bytes.
type block struct {
	first   uint64 // number of its first task; not stored
	time    int64
	by      []byte
	classes []blockClass
	items   []blockItem
	size    int // bytes it keeps alive
}

type blockClass struct {
	need     []byte
	priority uint8
	delivery task.Delivery
	raw      []byte // all of it: the class's key
}

type blockItem struct {
	class uint32
	retry uint16
	key   []byte
	spec  []byte
	raw   []byte // all of it
}

const (
	blockPlain = 0
	blockS2    = 1

	compressFrom  = 400     // bytes from which compressing is tried
	maxBlockBytes = 1 << 20 // of a block, not compressed
)

// openBlock takes the leading byte off and decompresses; the result may refer
// to b.
func openBlock(b []byte) ([]byte, error) {
	if len(b) == 0 || b[0] > blockS2 {
		return nil, errShort
	}
	if b[0] == blockPlain {
		return b[1:], nil
	}
	if n, err := s2.DecodedLen(b[1:]); err != nil || n > maxBlockBytes {
		return nil, errShort
	}
	return s2.Decode(nil, b[1:])
}

var scratch = sync.Pool{New: func() any { return new([]byte) }}

// closeBlock compresses the block in b[from:], which begins with blockPlain.
func closeBlock(b []byte, from int) []byte {
	plain := b[from+1:]
	if len(plain) < compressFrom {
		return b
	}
	buf := scratch.Get().(*[]byte)
	defer scratch.Put(buf)
	if n := s2.MaxEncodedLen(len(plain)); cap(*buf) < n {
		*buf = make([]byte, n)
	}
	packed := s2.Encode((*buf)[:cap(*buf)], plain)
	if len(packed) >= len(plain) {
		return b
	}
	b[from] = blockS2
	return append(b[:from+1], packed...)
}

// parseBlock reads a stored block; the result may refer to b.
func parseBlock(b []byte) (*block, error) {
	b, err := openBlock(b)
	if err != nil {
		return nil, err
	}
	r := reader{b: b}
	k := &block{time: r.int(), by: r.bytes(), size: len(b)}
	k.classes = make([]blockClass, r.count())
	for i := range k.classes {
		before := r.b
		c := blockClass{need: r.bytes(), priority: r.byte(), delivery: task.Delivery(r.byte())}
		c.raw = before[:len(before)-len(r.b)]
		k.classes[i] = c
	}
	n := r.count()
	if r.err != nil || n > task.MaxBatch {
		return nil, errShort
	}
	k.items = make([]blockItem, n)
	for i := range k.items {
		before := r.b
		it := blockItem{class: r.uint32(), retry: uint16(r.uint()), key: r.bytes(), spec: r.bytes()}
		it.raw = before[:len(before)-len(r.b)]
		if r.err == nil && int(it.class) >= len(k.classes) {
			r.fail()
		}
		k.items[i] = it
	}
	return k, r.end()
}

// appendBlock writes a block with the given items of k, not compressed.
func appendBlock(b []byte, k *block, items []blockItem) []byte {
	b = append(b, blockPlain)
	b = putInt(b, k.time)
	b = putBytes(b, k.by)
	b = putUint(b, uint64(len(k.classes)))
	for _, c := range k.classes {
		b = append(b, c.raw...)
	}
	b = putUint(b, uint64(len(items)))
	for _, it := range items {
		b = append(b, it.raw...)
	}
	return b
}

// packer is a reusable msgpack encoder with sorted maps, so that equal specs
// are equal bytes.
type packer struct {
	buf bytes.Buffer
	enc *msgpack.Encoder
}

var packers = sync.Pool{New: func() any {
	p := &packer{}
	p.enc = msgpack.NewEncoder(&p.buf)
	p.enc.SetSortMapKeys(true)
	p.enc.UseCompactInts(true)
	return p
}}

// pack appends v in msgpack, preceded by its length. v is one of our own
// types, which always encode.
func pack(b []byte, v any) []byte {
	p := packers.Get().(*packer)
	p.buf.Reset()
	if err := p.enc.Encode(v); err != nil {
		panic("queue: a type that does not encode: " + err.Error())
	}
	b = putBytes(b, p.buf.Bytes())
	packers.Put(p)
	return b
}

func unpack(b []byte, v any) error { return msgpack.Unmarshal(b, v) }

func decodeSpec(b []byte) (task.Spec, error) {
	var s task.Spec
	err := unpack(b, &s)
	return s, err
}

// retryTerms packs what a failure needs to know of a spec.
func retryTerms(s *task.Spec) uint16 {
	v := uint16(min(max(s.Retries, 0), task.MaxRetries))
	if s.Backoff == task.BackoffFixed {
		v |= retryFixed
	}
	if len(s.RetryOn) > 0 {
		v |= retryOnList
	}
	return v
}

// appendClass writes the part of a spec that placement looks at, as stored.
func appendClass(b []byte, s *task.Spec) []byte {
	b = pack(b, &s.Need)
	return append(b, s.Priority, byte(s.Delivery))
}

// blockWriter collects tasks of one submit into commands.
type blockWriter struct {
	classes map[string]int
	table   []byte // classes, encoded
	items   []byte
	n       int
	need    []byte // scratch
	out     []byte // the command
}

func (w *blockWriter) reset() {
	clear(w.classes)
	w.table, w.items, w.n = w.table[:0], w.items[:0], 0
}

func (w *blockWriter) size() int { return len(w.table) + len(w.items) }

// add puts one more task into the block.
func (w *blockWriter) add(t *task.NewTask) {
	if w.classes == nil {
		w.classes = map[string]int{}
	}
	w.need = appendClass(w.need[:0], &t.Spec)
	c, ok := w.classes[string(w.need)]
	if !ok {
		c = len(w.classes)
		w.classes[string(w.need)] = c
		w.table = append(w.table, w.need...)
	}
	w.items = putUint(w.items, uint64(c))
	w.items = putUint(w.items, uint64(retryTerms(&t.Spec)))
	w.items = putString(w.items, t.Key)
	w.items = pack(w.items, &t.Spec)
	w.n++
}

// append writes the block.
func (w *blockWriter) append(b []byte, time int64, by task.Principal) []byte {
	from := len(b)
	b = append(b, blockPlain)
	b = putInt(b, time)
	b = putString(b, string(by))
	b = putUint(b, uint64(len(w.classes)))
	b = append(b, w.table...)
	b = putUint(b, uint64(w.n))
	return closeBlock(append(b, w.items...), from)
}

// own makes a block that refers to somebody else's bytes refer to its own.
func (b *block) own() {
	c, err := parseBlock(appendBlock(nil, b, b.items))
	if err != nil {
		panic("queue: a block that was read can not be written: " + err.Error())
	}
	c.first = b.first
	*b = *c
}
