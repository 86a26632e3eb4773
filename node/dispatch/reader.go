package dispatch

import (
	"bytes"
	"errors"
	"io"
	"os"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Bounds on one step of a follow.
const (
	followBytes = 512 << 10 // of output
	// followBehind is how far a reader may be behind a growing output before
	// it is moved forward, with a mark that says how much was skipped.
	followBehind = 64 << 20
)

// attemptReader reads one attempt's chunk stream, first while it grows and
// then to the end that its record names.
type attemptReader struct {
	o     *outputStore
	lease wire.Lease
	open  bool
	file  *os.File
	off   int64
	buf   []byte // a part of a chunk
	loss  string // why the end of the stream is not here; empty while none is known to be missing
}

func (r *attemptReader) start(id task.ID, a *task.Attempt) {
	r.lease = wire.Lease{ID: id, Fence: a.Fence}
}

func (r *attemptReader) close() {
	if r.file != nil {
		_ = r.file.Close()
	}
	*r = attemptReader{o: r.o}
}

// next reads more of the stream. No chunks and no channel mean the end. The last
// word on an output that was cut is why.
func (r *attemptReader) next(a *task.Attempt) ([]control.Chunk, <-chan struct{}, error) {
	if r.off < 0 {
		return nil, nil, nil // a remark was the last word
	}
	if r.loss = ""; a != nil && a.Ended != 0 && a.Output.CutBy != "" {
		r.loss = rest(a)
	}
	chunks, more, err := r.step(a)
	if len(chunks) == 0 && more == nil && err == nil && r.off >= 0 && r.loss != "" {
		return r.remark(r.loss)
	}
	return chunks, more, err
}

func (r *attemptReader) step(a *task.Attempt) ([]control.Chunk, <-chan struct{}, error) {
	ended := a == nil || a.Ended != 0
	if ended && a != nil && a.Output.Length == 0 {
		return r.inline(a.Output.Inline)
	}
	length, more := r.grown(ended)
	if r.file == nil {
		file, err := os.Open(r.o.path(r.lease))
		if err != nil {
			if ended && a != nil && a.Output.Length > 0 {
				return r.remark(gone(a))
			}
			return nil, more, nil
		}
		r.file = file
	}
	if behind := length - r.off; behind > followBehind && more != nil {
		// Moving inside the stream would lose the chunk borders; the reader
		// reads on and drops what it cannot show.
		return r.skip(length - followBehind/2)
	}
	if ended && more == nil && r.off >= length && a != nil && a.Output.Length > length {
		return r.remark(rest(a))
	}
	return r.pull(length, more)
}

// grown is how long the stream is now and, while it may still grow, a channel
// that is closed when it has.
func (r *attemptReader) grown(ended bool) (int64, <-chan struct{}) {
	if f := r.o.grow(r.lease, false); f != nil {
		n, done, more := f.state()
		if !done {
			return n, more
		}
	}
	if i, err := os.Stat(r.o.path(r.lease)); err == nil {
		if ended {
			return i.Size(), nil
		}
		return i.Size(), make(chan struct{}) // woken by a change of the task
	}
	if ended {
		return 0, nil
	}
	return 0, make(chan struct{})
}

func (r *attemptReader) pull(length int64, more <-chan struct{}) ([]control.Chunk, <-chan struct{}, error) {
	n := min(length-r.off, followBytes)
	if n <= 0 {
		return r.over(more)
	}
	have := len(r.buf)
	r.buf = append(r.buf, make([]byte, n)...)
	got, err := r.file.ReadAt(r.buf[have:], r.off)
	r.buf = r.buf[:have+got]
	r.off += int64(got)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	return r.cut(more)
}

// over is what there is when nothing is left to read now. A stream that ends
// inside a chunk was torn.
func (r *attemptReader) over(more <-chan struct{}) ([]control.Chunk, <-chan struct{}, error) {
	if more == nil && len(r.buf) > 0 && r.loss == "" {
		return r.remark("the output of this attempt is damaged from here on")
	}
	return nil, more, nil
}

// cut takes the whole chunks out of the buffer.
func (r *attemptReader) cut(more <-chan struct{}) ([]control.Chunk, <-chan struct{}, error) {
	var cs []control.Chunk
	b := r.buf
	for {
		c, rest, err := wire.CutChunk(b)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			remark, more, err := r.remark("the output of this attempt is damaged from here on")
			return append(cs, remark...), more, err
		}
		b = rest
		cs = append(cs, control.Chunk{Stream: c.Stream, Attempt: r.lease.Fence.Attempt, Time: c.Time, Data: bytes.Clone(c.Data), Skipped: c.Skipped})
	}
	r.buf = append(r.buf[:0], b...)
	if len(cs) == 0 && more == nil && len(b) == 0 {
		return nil, nil, nil
	}
	if len(cs) == 0 && more == nil {
		more = closedChan
	}
	return cs, more, nil
}

var closedChan = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// skip drops whole chunks up to about an offset.
func (r *attemptReader) skip(to int64) ([]control.Chunk, <-chan struct{}, error) {
	var dropped int64
	for r.off < to {
		cs, _, err := r.pull(to, closedChan)
		if err != nil {
			return nil, nil, err
		}
		for _, c := range cs {
			dropped += int64(len(c.Data)) + c.Skipped
		}
	}
	return []control.Chunk{{Attempt: r.lease.Fence.Attempt, Skipped: dropped}}, closedChan, nil
}

func (r *attemptReader) inline(b []byte) ([]control.Chunk, <-chan struct{}, error) {
	if r.off >= int64(len(b)) {
		return r.over(nil)
	}
	r.buf = append(r.buf, b[r.off:]...)
	r.off = int64(len(b))
	return r.cut(nil)
}

// gone says why nothing of an output is here.
func gone(a *task.Attempt) string {
	if a.Output.CutBy != "" {
		return "the output of this attempt was lost: " + a.Output.CutBy
	}
	return "the output of this attempt is not here any more: newer outputs took its place, or it was purged"
}

// rest says why the end of an output is not here.
func rest(a *task.Attempt) string {
	if a.Output.CutBy != "" {
		return "the rest of this attempt's output was lost: " + a.Output.CutBy
	}
	return "the rest of this attempt's output is not here"
}

func (r *attemptReader) remark(text string) ([]control.Chunk, <-chan struct{}, error) {
	r.off = -1
	return []control.Chunk{{Stream: 0, Attempt: r.lease.Fence.Attempt, Data: []byte(text)}}, closedChan, nil
}
