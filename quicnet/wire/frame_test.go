package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"reflect"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

func reflectType[T any]() reflect.Type { return reflect.TypeFor[T]() }

func raw(size uint32, kind Kind, body ...byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, size)
	return append(append(b, byte(kind)), body...)
}

func TestFramesThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		bytes  []byte
		stream StreamKind
		peer   End
	}{
		"length 0":             {raw(0, KindFault), StreamRPC, Opener},
		"no body":              {raw(1, KindFault), StreamRPC, Opener},
		"over the limit":       {raw(LimitAfter+1, KindAssign, 0x80), StreamWork, Acceptor},
		"over the kind's own":  {raw(maxFault+1, KindFault, 0x80), StreamRPC, Opener},
		"largest length":       {raw(1<<32-1, KindAssign, 0x80), StreamWork, Acceptor},
		"unknown kind":         {raw(2, 255, 0x80), StreamRPC, Opener},
		"kind 0":               {raw(2, 0, 0x80), StreamRPC, Opener},
		"on the wrong stream":  {raw(2, KindBeat, 0x80), StreamRPC, Opener},
		"from the wrong end":   {raw(2, KindBeat, 0x80), StreamWork, Acceptor},
		"hello a second time":  {raw(2, KindHello, 0x80), StreamWork, Opener},
		"bad body":             {raw(2, KindFault, 0xc1), StreamRPC, Opener},
		"bytes after the body": {raw(3, KindFault, 0x80, 0x80), StreamRPC, Opener},
	} {
		f := NewFraming(bytes.NewReader(c.bytes), nil, LimitAfter)
		f.Restrict(c.stream, c.peer)
		if got, err := f.Recv(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
}

func TestFramesThatAreCut(t *testing.T) {
	whole, err := Append(nil, Fault{Kind: "x", Message: "words"})
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		_, err := NewFraming(bytes.NewReader(whole[:n]), nil, LimitAfter).Recv()
		if want := map[bool]error{true: io.EOF, false: io.ErrUnexpectedEOF}[n == 0]; !errors.Is(err, want) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	f := NewFraming(iotest.OneByteReader(bytes.NewReader(append(whole, whole...))), nil, LimitAfter)
	for range 2 {
		if _, err := f.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Recv(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// A length costs nothing until bytes have come.
func TestLengthAloneCostsNothing(t *testing.T) {
	f := NewFraming(bytes.NewReader(raw(LimitAfter, KindAssign, 0x80)), nil, LimitAfter)
	if _, err := f.Recv(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	if cap(f.body) > 2*readBuffer {
		t.Errorf("%d bytes held for a body of one byte", cap(f.body))
	}
}

func TestLargeBuffersAreGivenBack(t *testing.T) {
	big, err := Append(nil, Assign{Items: []Assignment{{Spec: task.Spec{Stdin: make([]byte, 200<<10)}}}})
	if err != nil {
		t.Fatal(err)
	}
	small, _ := Append(nil, Assign{Term: 1})
	f := NewFraming(bytes.NewReader(append(big, small...)), nil, LimitAfter)
	for range 2 {
		if _, err := f.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	if cap(f.body) > keepBuffer {
		t.Errorf("%d bytes held after a small frame", cap(f.body))
	}
}

func TestTooLargeToSend(t *testing.T) {
	dst := []byte("kept")
	out, err := Append(dst, Fault{Message: string(make([]byte, maxFault))})
	if task.KindOf(err) != task.KindTooLarge || string(out) != "kept" {
		t.Errorf("%q %v", out, err)
	}
	if _, err := Append(nil, unregistered{}); task.KindOf(err) != task.KindInternal {
		t.Error(err)
	}
}

type unregistered struct{}

func (unregistered) WireKind() Kind { return 254 }

// A deadline in the middle of a frame loses nothing.
func TestRecvGoesOnAfterADeadline(t *testing.T) {
	synctest.Test(t, recvGoesOn)
}

func recvGoesOn(t *testing.T) {
	a, b := net.Pipe()
	in := NewConn(b, LimitAfter)
	defer in.Close()
	whole, _ := Append(nil, Fault{Kind: "x", Message: string(make([]byte, 3*readBuffer))})
	for _, at := range []int{2, 5, readBuffer, 2*readBuffer + 7} {
		from := 0
		for _, to := range []int{at, len(whole)} {
			part := whole[from:to]
			from = to
			written := make(chan struct{})
			go func() { defer close(written); a.Write(part) }()
			if to < len(whole) {
				in.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
				if _, err := in.Recv(); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatal(at, err)
				}
				in.SetReadDeadline(time.Time{})
			} else if f, err := in.Recv(); err != nil || f.Kind != KindFault {
				t.Fatal(at, f.Kind, err)
			}
			<-written
		}
	}
}

func TestConnCarriesFramesThenBytes(t *testing.T) {
	a, b := net.Pipe()
	ca, cb := NewConn(a, LimitAfter), NewConn(b, LimitAfter)
	go func() {
		_ = ca.Send(Fault{Kind: task.KindConflict, Message: "no", Hint: "yes"})
		_, _ = ca.Write([]byte("raw"))
		_ = ca.Close()
	}()
	f, err := cb.Recv()
	if err != nil {
		t.Fatal(err)
	}
	if err := FaultError(f); task.KindOf(err) != task.KindConflict || err.Error() != "no" || task.HintOf(err) != "yes" {
		t.Error(err)
	}
	rest, err := io.ReadAll(cb)
	if string(rest) != "raw" || err != nil {
		t.Errorf("%q %v", rest, err)
	}
	cb.Cancel(CodeNone)
}

func TestFaultsAreErrors(t *testing.T) {
	f := frameOf(t, FaultOf(task.Errorf(task.KindFull, "the queue is full").WithHint("wait")))
	var b Beat
	err := DecodeAs(f, &b)
	if task.KindOf(err) != task.KindFull || task.HintOf(err) != "wait" {
		t.Error(err)
	}
	err = DecodeAs(frameOf(t, Release{}), &b)
	if !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
	long := FaultOf(errors.New(string(make([]byte, 1<<20))))
	if _, err := Append(nil, long); err != nil {
		t.Error(err)
	}
}

// Ten thousand frames of random bytes, with right lengths and kinds so that they
// get as far as they can: none may pass as a message with content of its own.
func TestRandomFrames(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	before := allocated()
	for range 10_000 {
		n := r.IntN(300)
		body := make([]byte, n)
		for i := range body {
			body[i] = byte(r.UintN(256))
		}
		b := raw(uint32(n+1), Kind(r.UintN(256)), body...)
		f, err := NewFraming(bytes.NewReader(b), nil, LimitBefore).Recv()
		if err == nil {
			decodeIntoAll(f.Body)
		}
	}
	if grown := allocated() - before; grown > 256<<20 {
		t.Errorf("%d bytes allocated in all", grown)
	}
}

// FuzzFrame reads any bytes as a stream of frames, restricted like each kind of
// stream, before and after HELLO.
func FuzzFrame(f *testing.F) {
	for _, m := range samples() {
		b, err := Append(nil, m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint8(0), true)
	}
	for _, b := range bombs() {
		if len(b) < 1<<10 {
			f.Add(raw(uint32(len(b)+1), KindResults, b...), uint8(StreamWork), false)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, stream uint8, opener bool) {
		in := NewFraming(bytes.NewReader(b), nil, LimitAfter)
		peer := Acceptor
		if opener {
			peer = Opener
		}
		in.Restrict(StreamKind(stream%7), peer)
		used := 0
		for {
			f, err := in.Recv()
			if err != nil {
				return
			}
			if used += len(f.Body) + headerLen; used > len(b) {
				t.Fatal("more came out than went in")
			}
			if !libraryAccepts(f.Body) {
				t.Fatalf("%x passed", f.Body)
			}
		}
	})
}

func TestFaultsAreHarmless(t *testing.T) {
	err := Fault{Kind: task.KindConflict, Message: "a\x1b[2J\nb\u202e\u009bc ü", Hint: "x\ny\r"}.Err()
	if got, want := err.Error(), "a�[2J�b��c ü"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := task.HintOf(err); got != "x\ny�" {
		t.Errorf("%q", got)
	}
}
