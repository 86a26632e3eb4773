package dispatch

import (
	"bytes"

	"github.com/adauldev/octaskly/node/control"
)

// tail keeps the last lines of what is added.
type tail struct {
	want   int
	chunks []control.Chunk
	ends   int // line ends in chunks
}

func (t *tail) add(cs []control.Chunk) {
	for _, c := range cs {
		t.chunks = append(t.chunks, c)
		t.ends += bytes.Count(c.Data, []byte{'\n'})
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
	if len(t.chunks) == 0 {
		return nil
	}
	want := t.want
	if last := t.chunks[len(t.chunks)-1].Data; len(last) == 0 || last[len(last)-1] != '\n' {
		want--
	}
	first := &t.chunks[0]
	for drop := t.ends - want; drop > 0; drop-- {
		i := bytes.IndexByte(first.Data, '\n')
		if i < 0 {
			break
		}
		first.Data = first.Data[i+1:]
	}
	return t.chunks
}
