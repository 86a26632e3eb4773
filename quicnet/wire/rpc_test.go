package wire

import (
	"bytes"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
)

// sample is the body of kindSample, which stands for the requests that others
// register.
type sample struct {
	Text  string `msgpack:"t"`
	Count int    `msgpack:"c,omitempty"`
}

const kindSample Kind = 32

func init() { RegisterRequest(kindSample, "sample", 0) }

func frameOf(t testing.TB, m Message) Frame {
	t.Helper()
	b, err := Append(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	f, err := NewFraming(bytes.NewReader(b), nil, LimitAfter).Recv()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSeqOf(t *testing.T) {
	for _, n := range []uint64{0, 1, 127, 128, 255, 256, 65535, 65536, math.MaxUint32, math.MaxUint32 + 1, math.MaxUint64} {
		for _, m := range []Message{
			Request[sample]{Kind: kindSample, Seq: n}, Reply[sample]{Seq: n}, Item[sample]{Seq: n}, Ended{Seq: n}, Part{Seq: n, Data: []byte("x")}, Failure{Seq: n},
		} {
			if got, err := SeqOf(frameOf(t, m)); err != nil || got != n {
				t.Errorf("%T %d: got %d, %v", m, n, got, err)
			}
		}
	}
	for _, b := range [][]byte{nil, {0x80}, {0x81, 0xa1}, {0x81, 0xa1, 'x', 1}, {0x81, 0xa1, 'q', 0xcf, 1}, {0x81, 0xa1, 'q', 0xff}, {0x91, 0xa1, 'q', 1}} {
		if n, err := SeqOf(Frame{Kind: KindReply, Body: b}); !errors.Is(err, ErrMalformed) {
			t.Errorf("%x: got %d, %v", b, n, err)
		}
	}
}

func TestOpenBody(t *testing.T) {
	sent := Request[sample]{Kind: kindSample, Seq: 1 << 40, Lane: 300, User: "user:7", Body: sample{Text: "x", Count: 3}}
	head, body, err := OpenBody(frameOf(t, sent))
	if err != nil || head != (Head{Seq: 1 << 40, Lane: 300, User: "user:7"}) {
		t.Fatal(head, err)
	}
	var got sample
	if err := DecodeInto(body, &got); err != nil || got != sent.Body {
		t.Error(got, err)
	}
	var wrong struct {
		Text []string `msgpack:"t"`
	}
	if err := DecodeInto(body, &wrong); !errors.Is(err, ErrMalformed) {
		t.Error("a text was taken for a list:", err)
	}
	for name, b := range map[string][]byte{
		"no map": {0x91, 1}, "no body": {0x81, 0xa1, 'q', 1}, "a number that is none": {0x82, 0xa1, 'q', 0xa1, 'x', 0xa1, 'b', 0x80},
		"cut off": {0x82, 0xa1, 'q'}, "a user that is too long": append([]byte{0x82, 0xa1, 'u', 0xd9, 200}, make([]byte, 200)...),
	} {
		if _, _, err := OpenBody(Frame{Kind: kindSample, Body: b}); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	later := []byte{0x83, 0xa1, 'z', 0x90, 0xa1, 'q', 7, 0xa1, 'b', 0x80}
	if head, _, err := OpenBody(Frame{Kind: kindSample, Body: later}); err != nil || head.Seq != 7 {
		t.Error("a field of a later version was not skipped:", head, err)
	}
}

func TestAnswerInParts(t *testing.T) {
	for _, size := range []int{0, 1 << 10, LimitAfter - 100, LimitAfter, 3<<20 + 1, MaxParts - 100} {
		body := bytes.Repeat([]byte("z"), size)
		b, err := AppendAnswer([]byte("kept"), 7, Reply[sample]{Seq: 7, Body: sample{Text: string(body)}})
		if err != nil {
			t.Fatal(size, err)
		}
		got, err := readAnswer(bytes.NewReader(b[4:]))
		if err != nil || got.Seq != 7 || got.Body.Text != string(body) {
			t.Errorf("%d bytes: got %d of %d, %v", size, got.Seq, len(got.Body.Text), err)
		}
	}
	_, err := AppendAnswer(nil, 7, Reply[sample]{Body: sample{Text: string(make([]byte, MaxParts))}})
	if task.KindOf(err) != task.KindTooLarge {
		t.Errorf("over the limit: %v", err)
	}
	_, err = AppendAnswer(nil, 7, Reply[[]task.ID]{Body: make([]task.ID, LimitAfter)})
	if task.KindOf(err) != task.KindTooLarge {
		t.Errorf("too many values: %v", err)
	}
}

func readAnswer(r io.Reader) (got Reply[sample], err error) {
	f := NewFraming(r, nil, LimitAfter)
	var all []byte
	for {
		frame, err := f.Recv()
		if err != nil {
			return got, err
		}
		if frame.Kind == KindPart {
			var p Part
			if err := Decode(frame, &p); err != nil {
				return got, err
			}
			var whole bool
			if all, frame, whole, err = p.Join(all); err != nil {
				return got, err
			} else if !whole {
				continue
			}
		}
		return got, DecodeAs(frame, &got)
	}
}

func TestPartsHaveLimits(t *testing.T) {
	all := make([]byte, MaxParts)
	if _, _, _, err := (Part{Data: []byte("x")}).Join(all); !errors.Is(err, ErrMalformed) {
		t.Error("more than the limit was taken:", err)
	}
	if _, _, _, err := (Part{More: true}).Join(nil); !errors.Is(err, ErrMalformed) {
		t.Error("an empty part was taken:", err)
	}
	if _, _, _, err := (Part{Data: []byte{0xdd, 0xff, 0xff, 0xff, 0xff}}).Join(nil); !errors.Is(err, ErrMalformed) {
		t.Error("a body was not checked:", err)
	}
}

func FuzzSeqOf(f *testing.F) {
	f.Add([]byte{0x81, 0xa1, 'q', 5})
	f.Add([]byte{0x82, 0xa1, 'q', 0xcd, 1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := SeqOf(Frame{Kind: KindEnded, Body: b})
		if err != nil || Check(b) != nil {
			return
		}
		var e Ended
		if Decode(Frame{Kind: KindEnded, Body: b}, &e) == nil && e.Seq != n && bytes.Count(b, []byte("\xa1q")) == 1 {
			t.Fatalf("%x: read %d, decoded %d", b, n, e.Seq)
		}
	})
}
