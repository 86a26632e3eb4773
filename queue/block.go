package queue

import (
	"bytes"
	"sync"

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
// million tasks without decoding one spec.
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

// parseBlock reads a block; the result refers to b.
func parseBlock(b []byte) (*block, error) {
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

// appendBlock writes a block with the given items of k.
func appendBlock(b []byte, k *block, items []blockItem) []byte {
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
	spec    []byte
}

func (w *blockWriter) reset() {
	clear(w.classes)
	w.table, w.items, w.n = w.table[:0], w.items[:0], 0
}

func (w *blockWriter) size() int { return len(w.table) + len(w.items) }

// add puts one more task into the block.
func (w *blockWriter) add(t *NewTask) {
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
	b = putInt(b, time)
	b = putString(b, string(by))
	b = putUint(b, uint64(len(w.classes)))
	b = append(b, w.table...)
	b = putUint(b, uint64(w.n))
	return append(b, w.items...)
}
