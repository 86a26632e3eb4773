package wire

import (
	"bytes"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
)

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
			Request[TaskArg]{Kind: KindGet, Seq: n}, Reply[Empty]{Seq: n}, Item[Empty]{Seq: n}, Ended{Seq: n}, Part{Seq: n, Data: []byte("x")}, Failure{Seq: n},
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

func TestAnswerInParts(t *testing.T) {
	for _, size := range []int{0, 1 << 10, LimitAfter - 100, LimitAfter, 3<<20 + 1, MaxParts - 100} {
		body := bytes.Repeat([]byte("z"), size)
		b, err := AppendAnswer([]byte("kept"), 7, Reply[BlobRef]{Seq: 7, Body: BlobRef{Ref: string(body)}})
		if err != nil {
			t.Fatal(size, err)
		}
		got, err := readAnswer(bytes.NewReader(b[4:]))
		if err != nil || got.Seq != 7 || got.Body.Ref != string(body) {
			t.Errorf("%d bytes: got %d of %d, %v", size, got.Seq, len(got.Body.Ref), err)
		}
	}
	_, err := AppendAnswer(nil, 7, Reply[BlobRef]{Body: BlobRef{Ref: string(make([]byte, MaxParts))}})
	if task.KindOf(err) != task.KindTooLarge {
		t.Errorf("over the limit: %v", err)
	}
	_, err = AppendAnswer(nil, 7, Reply[[]task.ID]{Body: make([]task.ID, LimitAfter)})
	if task.KindOf(err) != task.KindTooLarge {
		t.Errorf("too many values: %v", err)
	}
}

func readAnswer(r io.Reader) (got Reply[BlobRef], err error) {
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
