package wire

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func TestChunksComeBack(t *testing.T) {
	big := bytes.Repeat([]byte("x"), 2*MaxChunk+5)
	b := AppendChunk(nil, 1, 100, []byte("out"))
	b = AppendChunk(b, 2, 101, nil)
	b = AppendSkipped(b, 102, 1<<40)
	b = AppendChunk(b, 2, 103, big)
	want := []Chunk{
		{Stream: 1, Time: 100, Data: []byte("out")},
		{Stream: 2, Time: 101, Data: []byte{}},
		{Stream: 0, Time: 102, Skipped: 1 << 40},
		{Stream: 2, Time: 103, Data: big[:MaxChunk]},
		{Stream: 2, Time: 103, Data: big[:MaxChunk]},
		{Stream: 2, Time: 103, Data: big[:5]},
	}
	for i, w := range want {
		c, rest, err := CutChunk(b)
		if err != nil {
			t.Fatalf("chunk %d: %v", i, err)
		}
		if c.Stream != w.Stream || c.Time != w.Time || c.Skipped != w.Skipped || !bytes.Equal(c.Data, w.Data) {
			t.Errorf("chunk %d is stream %d at %d with %d bytes, skipped %d", i, c.Stream, c.Time, len(c.Data), c.Skipped)
		}
		b = rest
	}
	if len(b) != 0 {
		t.Errorf("%d bytes are left", len(b))
	}
}

func TestCutChunkTorn(t *testing.T) {
	whole := AppendChunk(nil, 1, 100, []byte("hello"))
	for n := range whole {
		if _, rest, err := CutChunk(whole[:n]); !errors.Is(err, io.ErrUnexpectedEOF) || len(rest) != n {
			t.Errorf("with %d of %d bytes: %v", n, len(whole), err)
		}
	}
	for name, b := range map[string][]byte{
		"stream 3":         append([]byte{3}, whole[1:]...),
		"too long":         {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 1},
		"mark of 5 bytes":  append([]byte{0}, whole[1:]...),
		"longest possible": {2, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff},
	} {
		if _, _, err := CutChunk(b); !errors.Is(err, ErrChunk) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzCutChunk(f *testing.F) {
	f.Add(AppendSkipped(AppendChunk(nil, 1, 1, []byte("abc")), 2, 3))
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		for rest := b; len(rest) > 0; {
			c, next, err := CutChunk(rest)
			if err != nil {
				if !errors.Is(err, ErrChunk) && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatal(err)
				}
				return
			}
			used := len(rest) - len(next)
			if used < ChunkHeader || len(c.Data) > MaxChunk {
				t.Fatalf("a chunk of %d bytes from %d", len(c.Data), used)
			}
			again := AppendChunk(nil, c.Stream, c.Time, c.Data)
			if c.Stream == 0 {
				again = AppendSkipped(nil, c.Time, c.Skipped)
			}
			if !bytes.Equal(again, rest[:used]) {
				t.Fatalf("%x becomes %x", rest[:used], again)
			}
			rest = next
		}
	})
}
