package wire

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/adauldev/octaskly/queue/task"
)

// maxWeight is how much memory the lists, maps and structs of one frame may
// become. Counts are bounded by the bytes of a frame, but one byte may stand for
// a whole struct of hundreds, and the library makes room for all that a count
// announces before it reads on. An answer in parts, which is larger than a frame,
// may become heavier by twice what it is larger.
const maxWeight = 12 << 20

func weightLimit(size int) uint64 { return maxWeight + 2*uint64(max(0, size-LimitAfter)) }

// mapEntry is about what one entry of a Go map costs beside key and value.
const mapEntry = 32

var (
	errHeavy = malformed("it would need too much memory")
	errShape = malformed("a list, map or struct is something else")
)

// shape is what weigh has to know of a Go type. It is built once for a type and
// read-only afterwards.
type shape struct {
	form   shapeForm
	each   uint64            // memory per element of a list or map, or behind a pointer
	inner  *shape            // element, map value, or what a pointer points to
	fields map[string]*shape // of a struct, by their names on the wire
}

type shapeForm uint8

const (
	leafShape shapeForm = iota // numbers, strings, bytes, and types that decode themselves
	listShape
	mapShape
	structShape
	pointerShape
)

// weigh takes from budget the memory that decoding the value at the start of b
// into s will allocate, and returns the bytes after it and what is left. b has
// passed Check, so its nesting and counts hold. It fails when a list, map or
// struct is something else on the wire, or when the budget does not suffice.
func (s *shape) weigh(b []byte, budget uint64) ([]byte, uint64, error) {
	h, err := readHead(b)
	if err != nil {
		return nil, 0, err
	}
	if s.form == leafShape || h.code == codeNil {
		b, err = skipValue(b)
		return b, budget, err
	}
	if s.form == pointerShape {
		if s.each > budget {
			return nil, 0, errHeavy
		}
		return s.inner.weigh(b, budget-s.each)
	}
	if !h.container || h.isMap() == (s.form == listShape) {
		return nil, 0, errShape
	}
	b = b[h.size:]
	if s.form == structShape {
		return s.weighFields(b, h.kids/2, budget)
	}
	return s.weighItems(b, h.kids, budget)
}

// weighItems weighs the inside of a list, or of a map with a key before each item.
func (s *shape) weighItems(b []byte, n, budget uint64) (_ []byte, _ uint64, err error) {
	if s.form == mapShape {
		n /= 2
	}
	if n > uint64(len(b)) || n*s.each > budget {
		return nil, 0, errHeavy
	}
	budget -= n * s.each
	for range n {
		if s.form == mapShape {
			if b, err = skipValue(b); err != nil {
				return nil, 0, err
			}
		}
		if b, budget, err = s.inner.weigh(b, budget); err != nil {
			return nil, 0, err
		}
	}
	return b, budget, nil
}

// weighFields weighs the inside of a struct.
func (s *shape) weighFields(b []byte, n, budget uint64) ([]byte, uint64, error) {
	for range n {
		h, err := readHead(b)
		if err != nil {
			return nil, 0, err
		}
		end := uint64(h.size) + h.skip
		if !h.isString() || end > uint64(len(b)) {
			return nil, 0, errShape
		}
		field := s.fields[string(b[h.size:end])]
		if b = b[end:]; field == nil {
			field = leaf // of a later version; the library skips it too
		}
		if b, budget, err = field.weigh(b, budget); err != nil {
			return nil, 0, err
		}
	}
	return b, budget, nil
}

var leaf = &shape{}

const codeNil = 0xc0

func (h head) isMap() bool { return h.code < 0x90 && h.code >= 0x80 || h.code >= 0xde && h.code < 0xe0 }

func (h head) isString() bool {
	return h.code >= 0xa0 && h.code < 0xc0 || h.code >= 0xd9 && h.code <= 0xdb
}

// skipValue returns what follows the value that b begins with.
func skipValue(b []byte) ([]byte, error) {
	for left := uint64(1); left > 0; left-- {
		h, err := readHead(b)
		if err != nil {
			return nil, err
		}
		if n := uint64(h.size) + h.skip; n > uint64(len(b)) {
			return nil, errTruncated
		}
		b = b[uint64(h.size)+h.skip:]
		left += h.kids
	}
	return b, nil
}

var shapes sync.Map // reflect.Type → *shape or error

// shapeOf builds the shape of a message type, or says why that type must not
// travel.
func shapeOf(t reflect.Type) (*shape, error) {
	if v, ok := shapes.Load(t); ok {
		if s, ok := v.(*shape); ok {
			return s, nil
		}
		return nil, v.(error)
	}
	s, err := buildShape(t, make(map[reflect.Type]*shape))
	if err != nil {
		err = task.Errorf(task.KindInternal, "wire: %s cannot travel: %w", t, err)
		shapes.Store(t, err)
		return nil, err
	}
	shapes.Store(t, s)
	return s, nil
}

var (
	customDecoder = reflect.TypeFor[msgpack.CustomDecoder]()
	timeType      = reflect.TypeFor[time.Time]()
)

func buildShape(t reflect.Type, seen map[reflect.Type]*shape) (*shape, error) {
	if s := seen[t]; s != nil {
		return s, nil
	}
	s := &shape{}
	seen[t] = s
	if reflect.PointerTo(t).Implements(customDecoder) {
		return s, nil
	}
	switch t.Kind() {
	case reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return nil, fmt.Errorf("it holds a %s", t.Kind())
	case reflect.Pointer:
		s.form, s.each = pointerShape, uint64(t.Elem().Size())
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return s, nil // bytes
		}
		s.form, s.each = listShape, uint64(t.Elem().Size())
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			return nil, fmt.Errorf("it holds a map with %s keys", t.Key())
		}
		s.form, s.each = mapShape, uint64(t.Key().Size()+t.Elem().Size())+mapEntry
	case reflect.Struct:
		if t == timeType {
			return nil, fmt.Errorf("it holds a time; send Unix milliseconds")
		}
		s.form, s.fields = structShape, make(map[string]*shape)
		return s, s.addFields(t, seen)
	default:
		return s, nil
	}
	var err error
	s.inner, err = buildShape(t.Elem(), seen)
	return s, err
}

func (s *shape) addFields(t reflect.Type, seen map[reflect.Type]*shape) error {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("msgpack"), ",")
		switch {
		case name == "-" || !f.IsExported() && !f.Anonymous:
			continue
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			if err := s.addFields(f.Type, seen); err != nil {
				return err
			}
			continue
		case name == "":
			name = f.Name
		}
		inner, err := buildShape(f.Type, seen)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		s.fields[name] = inner
	}
	return nil
}
