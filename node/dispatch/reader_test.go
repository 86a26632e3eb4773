package dispatch

import (
	"bytes"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

func testOutputs(t testing.TB) *outputStore {
	t.Helper()
	o, err := openOutputs(t.TempDir(), 1<<30, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// stream is a chunk stream of numbered lines.
func stream(from, n int) []byte {
	var b []byte
	for i := range n {
		b = wire.AppendChunk(b, 1, int64(i), []byte(strings.Repeat(string(rune('a'+(from+i)%26)), 10)+"\n"))
	}
	return b
}

// readAll reads what is there now: until the end, or until nothing comes while
// more may.
func readAll(t testing.TB, r *attemptReader, a *task.Attempt) (data string, remarks []string, ended bool) {
	t.Helper()
	var b strings.Builder
	for range 10_000 {
		cs, more, err := r.next(a)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cs {
			if c.Stream == 0 && c.Skipped == 0 {
				remarks = append(remarks, string(c.Data))
				continue
			}
			b.Write(c.Data)
		}
		if len(cs) > 0 {
			continue
		}
		if more == nil {
			return b.String(), remarks, true
		}
		select {
		case <-more:
		default:
			return b.String(), remarks, false
		}
	}
	t.Fatal("the reader comes to no end")
	return
}

func plain(b []byte) string {
	var s strings.Builder
	for len(b) > 0 {
		c, rest, err := wire.CutChunk(b)
		if err != nil {
			break
		}
		s.Write(c.Data)
		b = rest
	}
	return s.String()
}

func TestAttemptReaderEnded(t *testing.T) {
	whole := stream(0, 50)
	damaged := bytes.Clone(whole)
	damaged[10*(wire.ChunkHeader+11)] = 9 // no such stream
	long := bytes.Clone(whole)
	long[20*(wire.ChunkHeader+11)+9] = 0xff // a length beyond the limit
	for _, tc := range []struct {
		name   string
		file   []byte // nil is no file
		length int64
		inline []byte
		want   string
		remark string
	}{
		{name: "whole", file: whole, length: int64(len(whole)), want: plain(whole)},
		{name: "inline", inline: whole[:24*10], want: plain(whole[:24*10])},
		{name: "no output at all"},
		{name: "gone", length: 100, remark: "not here any more"},
		{name: "shorter than its record", file: whole[:24*30], length: int64(len(whole)), want: plain(whole[:24*30]), remark: "rest of this attempt's output"},
		{name: "torn inside a chunk", file: whole[:24*30+7], length: int64(len(whole)), want: plain(whole[:24*30]), remark: "rest of this attempt's output"},
		{name: "torn, and the record says so", file: whole[:24*30+7], length: 24*30 + 7, want: plain(whole[:24*30]), remark: "damaged"},
		{name: "damaged", file: damaged, length: int64(len(damaged)), want: plain(whole[:24*10]), remark: "damaged"},
		{name: "a length out of bounds", file: long, length: int64(len(long)), want: plain(whole[:24*20]), remark: "damaged"},
		{name: "inline damaged", inline: damaged, want: plain(whole[:24*10]), remark: "damaged"},
		{name: "inline torn", inline: whole[:30], want: plain(whole[:24]), remark: "damaged"},
		{name: "empty file", file: []byte{}, length: 24, remark: "rest of this attempt's output"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := testOutputs(t)
			l := at(4, 2, 1)
			if tc.file != nil {
				if err := os.WriteFile(o.path(l), tc.file, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			a := &task.Attempt{Fence: l.Fence, Ended: 1, Output: task.Output{Length: tc.length, Inline: tc.inline}}
			r := attemptReader{o: o, open: true}
			r.start(l.ID, a)
			defer r.close()
			got, remarks, ended := readAll(t, &r, a)
			if got != tc.want {
				t.Errorf("read %d bytes, want %d", len(got), len(tc.want))
			}
			if !ended {
				t.Error("the reader waits for more of an attempt that has ended")
			}
			if tc.remark == "" && len(remarks) > 0 || tc.remark != "" && (len(remarks) != 1 || !strings.Contains(remarks[0], tc.remark)) {
				t.Errorf("remarks %q, want one with %q", remarks, tc.remark)
			}
		})
	}
}

// A reader of a growing stream sees each byte once, wherever the stream was
// torn when it looked.
func TestAttemptReaderGrowing(t *testing.T) {
	whole := stream(0, 30)
	for step := 1; step < 60; step += 7 {
		o := testOutputs(t)
		l := at(4, 2, 1)
		a := &task.Attempt{Fence: l.Fence}
		f := o.grow(l, true)
		file, err := os.Create(o.path(l))
		if err != nil {
			t.Fatal(err)
		}
		r := attemptReader{o: o, open: true}
		r.start(l.ID, a)
		var got strings.Builder
		for off := 0; off < len(whole); {
			n := min(step, len(whole)-off)
			if _, err := file.Write(whole[off : off+n]); err != nil {
				t.Fatal(err)
			}
			off += n
			f.add(int64(n), false)
			s, remarks, ended := readAll(t, &r, a)
			if ended || len(remarks) > 0 {
				t.Fatalf("after %d bytes: ended %v, remarks %q", off, ended, remarks)
			}
			got.WriteString(s)
		}
		// The upload is over, the record comes a little later.
		f.add(0, true)
		if s, _, ended := readAll(t, &r, a); s != "" || ended {
			t.Errorf("before the record: %q, ended %v", s, ended)
		}
		a.Ended, a.Output.Length = 1, int64(len(whole))
		o.settled(l, f)
		s, remarks, ended := readAll(t, &r, a)
		if got.WriteString(s); got.String() != plain(whole) || !ended || len(remarks) > 0 {
			t.Errorf("step %d: read %d bytes, ended %v, remarks %q", step, got.Len(), ended, remarks)
		}
		r.close()
		_ = file.Close()
	}
}

func FuzzAttemptReader(f *testing.F) {
	whole := stream(0, 5)
	f.Add(whole, int64(len(whole)))
	f.Add(whole[:40], int64(len(whole)))
	f.Add([]byte{0, 1, 2}, int64(3))
	f.Fuzz(func(t *testing.T, b []byte, length int64) {
		o := testOutputs(t)
		l := at(1, 1, 1)
		if err := os.WriteFile(o.path(l), b, 0o600); err != nil {
			t.Fatal(err)
		}
		a := &task.Attempt{Fence: l.Fence, Ended: 1, Output: task.Output{Length: max(1, length)}}
		r := attemptReader{o: o, open: true}
		r.start(l.ID, a)
		defer r.close()
		if got, _, ended := readAll(t, &r, a); !ended || got != plain(b) {
			t.Errorf("read %q, ended %v", got, ended)
		}
	})
}
