package dispatch

import (
	"bytes"

	"github.com/adauldev/octaskly/node/control"
)

// tail keeps the last lines of what is added.
type tail struct {
	want   int
	chunks []control.Chunk
	ends   int  // line ends in chunks
	partly bool // the last line has no end yet
}

func (t *tail) add(cs []control.Chunk) {
	for _, c := range cs {
		t.chunks = append(t.chunks, c)
		t.ends += bytes.Count(c.Data, []byte{'\n'})
		if n := len(c.Data); n > 0 {
			t.partly = c.Data[n-1] != '\n'
		}
	}
	for len(t.chunks) > 1 {
		n := bytes.Count(t.chunks[0].Data, []byte{'\n'})
		if t.ends-n <= t.want {
			break
		}
		t.ends -= n
		t.chunks = t.chunks[1:]
	}
}

// lines is the last want lines; a last line without an end counts as one.
func (t *tail) lines() []control.Chunk {
	drop := t.ends - t.want
	if t.partly {
		drop++
	}
	for drop > 0 && len(t.chunks) > 0 {
		first := &t.chunks[0]
		i := bytes.IndexByte(first.Data, '\n')
		first.Data = first.Data[i+1:]
		if i < 0 || len(first.Data) == 0 {
			t.chunks = t.chunks[1:]
		}
		if i >= 0 {
			drop--
		}
	}
	return t.chunks
}
