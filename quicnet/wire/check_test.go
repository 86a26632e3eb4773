package wire

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/adauldev/octaskly/queue/task"
)

// bombs are small bodies that cost the library hundreds of megabytes or the
// whole process.
func bombs() map[string][]byte {
	deep := bytes.Repeat([]byte{0x91}, 1<<20-1)
	return map[string][]byte{
		"array of 8 million in 5 bytes":   {0xdd, 0x00, 0x80, 0x00, 0x00},
		"array of 4 billion in 5 bytes":   {0xdd, 0xff, 0xff, 0xff, 0xff},
		"map of 4 billion in 5 bytes":     {0xdf, 0xff, 0xff, 0xff, 0xff},
		"string of 4 GB in 5 bytes":       {0xdb, 0xff, 0xff, 0xff, 0xff},
		"binary of 4 GB in 5 bytes":       {0xc6, 0xff, 0xff, 0xff, 0xff},
		"a million structs in 12 bytes":   append([]byte{0x81, 0xa1, 'i', 0xdd, 0x00, 0x0f, 0x42, 0x40}, 0xc0, 0xc0, 0xc0, 0xc0),
		"a megabyte of nested arrays":     append(deep, 0x90),
		"a megabyte of nested maps":       append(bytes.Repeat([]byte{0x81, 0xc0}, 1<<19-1), 0x80),
		"nested in a field nobody knows":  append(append([]byte{0x81, 0xa1, '?'}, bytes.Repeat([]byte{0x91}, 1<<20-8)...), 0x90),
		"a million nils":                  append([]byte{0xdd, 0x00, 0x0f, 0x00, 0x00}, bytes.Repeat([]byte{0xc0}, 0x0f0000)...),
		"ext":                             {0xc7, 0x08, 0x05, 1, 2, 3, 4, 5, 6, 7, 8},
		"fixext":                          {0xd6, 0xff, 1, 2, 3, 4},
		"never used":                      {0xc1},
		"nothing":                         {},
		"two values":                      {0x80, 0x80},
		"cut string":                      {0xa5, 'a'},
		"cut number":                      {0xcf, 1, 2},
		"cut length":                      {0xdb, 0},
		"array of two with one":           {0x92, 1},
		"length of array that says twice": {0xdc, 0x00, 0x03, 1, 1},
	}
}

func TestBombsAreRefused(t *testing.T) {
	for name, b := range bombs() {
		if err := Check(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
		if n := testing.AllocsPerRun(1, func() { _ = Check(b) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// What passes Check but would become much memory is refused by its weight.
func TestHeavyBodiesAreRefused(t *testing.T) {
	nils := append([]byte{0x81, 0xa1, 'i', 0xdd, 0x00, 0x03, 0x00, 0x00}, bytes.Repeat([]byte{0xc0}, 0x030000)...)
	maps := append([]byte{0x81, 0xa1, 'i', 0xdd, 0x00, 0x03, 0x00, 0x00}, bytes.Repeat([]byte{0x80}, 0x030000)...)
	ints := append([]byte{0x81, 0xa1, 'i', 0xdd, 0x00, 0x03, 0x00, 0x00}, bytes.Repeat([]byte{0x01}, 0x030000)...)
	for name, b := range map[string][]byte{"nils": nils, "empty maps": maps, "numbers": ints} {
		if err := Check(b); err != nil {
			t.Fatal(name, err)
		}
		before := allocated()
		var rs Results
		if err := Decode(Frame{Kind: KindResults, Body: b}, &rs); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
		if grown := allocated() - before; grown > 1<<20 {
			t.Errorf("%s: %d bytes allocated before it was refused", name, grown)
		}
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func TestShapesThatAreRefused(t *testing.T) {
	for name, b := range map[string][]byte{
		"struct as array":  {0x91, 1},
		"struct as number": {1},
		"list as map":      {0x81, 0xa1, 'i', 0x80},
		"list as string":   {0x81, 0xa1, 'i', 0xa1, 'x'},
		"number as key":    {0x81, 0x01, 0x01},
		"string as number": {0x81, 0xa1, 'i', 0x91, 0x81, 0xa1, 'v', 0xa1, 'x'},
	} {
		var a ResultAck
		if err := Decode(Frame{Kind: KindResultAck, Body: b}, &a); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v, %+v", name, err, a)
		}
	}
}

func TestUnknownFieldsAreSkipped(t *testing.T) {
	b := []byte{0x82, 0xa3, 'n', 'e', 'w', 0x92, 0x81, 0xa1, 'x', 0x01, 0xa1, 'y', 0xa1, 'o', 0xc3}
	var r Release
	if err := Decode(Frame{Kind: KindRelease, Body: b}, &r); err != nil || !r.On {
		t.Error(r, err)
	}
}

type withAny struct {
	V any `msgpack:"v"`
}

func TestInterfacesCannotTravel(t *testing.T) {
	var v withAny
	err := Decode(Frame{Body: []byte{0x80}}, &v)
	if task.KindOf(err) != task.KindInternal || !strings.Contains(err.Error(), "interface") {
		t.Error(err)
	}
}

// libraryAccepts reports whether the library takes b as exactly one value
// without ext types. Only for bodies that are no bombs.
func libraryAccepts(b []byte) bool {
	r := bytes.NewReader(b)
	return msgpack.NewDecoder(r).Skip() == nil && r.Len() == 0
}

// FuzzCheck compares Check with the library: what passes, the library must walk
// to its last byte and decode into every message without harm.
func FuzzCheck(f *testing.F) {
	for _, m := range samples() {
		f.Add(frameOf(f, m).Body)
	}
	for _, b := range bombs() {
		if len(b) < 1<<10 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > LimitAfter {
			return
		}
		if Check(b) != nil {
			return
		}
		if !libraryAccepts(b) {
			t.Fatalf("%x passed the check, the library does not take it", b)
		}
		before := allocated()
		decodeIntoAll(b)
		if grown := allocated() - before; grown > 64<<20 {
			t.Fatalf("%d bytes became %d in memory", len(b), grown)
		}
	})
}

func decodeIntoAll(b []byte) {
	var (
		hello Hello
		reg   Register
		asg   Assign
		res   Results
		req   Request[sample]
		enr   Enrolled
		tsk   Reply[[]task.Task]
	)
	_ = Decode(Frame{Kind: KindHello, Body: b}, &hello)
	_ = Decode(Frame{Kind: KindRegister, Body: b}, &reg)
	_ = Decode(Frame{Kind: KindAssign, Body: b}, &asg)
	_ = Decode(Frame{Kind: KindResults, Body: b}, &res)
	_ = Decode(Frame{Kind: kindSample, Body: b}, &req)
	_ = Decode(Frame{Kind: KindEnrolled, Body: b}, &enr)
	_ = Decode(Frame{Kind: KindReply, Body: b}, &tsk)
}

// The other direction: what we would send ourselves always passes.
func TestOwnMessagesPass(t *testing.T) {
	for _, m := range samples() {
		if body := frameOf(t, m).Body; Check(body) != nil || !libraryAccepts(body) {
			t.Errorf("%T does not pass", m)
		}
	}
}

// Small values that the library takes are taken by the check, so that it refuses
// nothing without reason.
func TestCheckAgreesWithLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	agree := 0
	for range 200_000 {
		b := make([]byte, r.IntN(12))
		for i := range b {
			b[i] = byte(r.UintN(256))
		}
		if slices.ContainsFunc(b, func(c byte) bool {
			return c == 0xc1 || c >= 0xc6 && c <= 0xc9 || c >= 0xd4 && c <= 0xd8 || c >= 0xdb && c <= 0xdf
		}) {
			continue // ext is refused on purpose; long lengths cost the library too much
		}
		if got, want := Check(b) == nil, libraryAccepts(b); got != want {
			t.Fatalf("%x: check says %v, the library %v", b, got, want)
		} else if got {
			agree++
		}
	}
	if agree < 1000 {
		t.Errorf("only %d values were taken by both", agree)
	}
}

func BenchmarkCheck(b *testing.B) {
	body := frameOf(b, Fault{Kind: "conflict", Message: strings.Repeat("x", 180)}).Body
	for b.Loop() {
		if Check(body) != nil {
			b.Fatal("refused")
		}
	}
}

func BenchmarkWeigh(b *testing.B) {
	f := frameOf(b, samples()[13])
	var rs Results
	_ = Decode(f, &rs)
	s, _ := shapeOf(reflectType[Results]())
	for b.Loop() {
		if _, _, err := s.weigh(f.Body, maxWeight); err != nil {
			b.Fatal(err)
		}
	}
}
