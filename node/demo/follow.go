package demo

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// follower makes a task's output as it is asked for.
type follower struct {
	f     *Fleet
	req   control.FollowRequest
	sent  int // lines
	state task.State
	first bool
	kill  bool
	done  bool
	close chan struct{}
	once  sync.Once
}

// Follow streams one task.
func (f *Fleet) Follow(ctx context.Context, r control.FollowRequest) (control.Follower, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance()
	if err := f.known(r.ID); err != nil {
		return nil, err
	}
	w := &follower{f: f, req: r, first: true, close: make(chan struct{})}
	if r.Tail > 0 {
		lines, _ := f.linesNow(r.ID)
		w.sent = max(0, lines-r.Tail)
	}
	context.AfterFunc(ctx, func() { _ = w.Close() })
	return w, nil
}

// Close ends the follow.
func (w *follower) Close() error {
	w.once.Do(func() { close(w.close) })
	return nil
}

// Next is the next piece.
func (w *follower) Next() (control.FollowItem, error) {
	for {
		select {
		case <-w.close:
			return control.FollowItem{}, io.EOF
		default:
		}
		it, wait, changed := w.step()
		if it.Task != nil || len(it.Chunks) > 0 {
			return it, nil
		}
		if w.done || w.req.NoWait {
			return it, io.EOF
		}
		t := time.NewTimer(wait)
		select {
		case <-w.close:
			t.Stop()
			return it, io.EOF
		case <-t.C:
		case <-changed:
			t.Stop()
		}
	}
}

func (w *follower) step() (it control.FollowItem, wait time.Duration, changed chan struct{}) {
	f := w.f
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance()
	r := &f.recs[w.req.ID-1]
	if w.req.Output {
		it.Chunks = w.output(r)
	}
	if w.first || r.state != w.state || r.kill != w.kill {
		t := f.task(w.req.ID)
		it.Task, w.first, w.state, w.kill = &t, false, r.state, r.kill
	}
	if r.state.Terminal() && len(it.Chunks) == 0 && it.Task == nil {
		w.done = true
	}
	return it, 150 * time.Millisecond, f.changed
}

// linesNow is how many lines the task has written, and how many it will.
func (f *Fleet) linesNow(id task.ID) (now, of int) {
	r := &f.recs[id-1]
	if r.started < 0 {
		return 0, 0
	}
	if sp := f.own[id]; sp != nil {
		return len(ownOutput(sp, f.nodes[r.node].name)), 1
	}
	j := &jobs[r.job]
	of = j.lines
	if r.state != task.Running {
		return of, of
	}
	run := f.at - r.submitted - int64(r.started)
	return min(of, int(float64(run)/(j.mean*1000)*float64(of))+1), of
}

func (w *follower) output(r *rec) []control.Chunk {
	f, id := w.f, w.req.ID
	if sp := f.own[id]; sp != nil && r.started >= 0 {
		if words := ownWords(sp); len(words) > 0 && words[0] == "yes" && r.state == task.Running {
			return []control.Chunk{{Stream: 1, Attempt: 1, Time: f.at, Data: bytes.Repeat([]byte("y\n"), 32<<10)}}
		}
	}
	now, of := f.linesNow(id)
	if w.sent >= now {
		return nil
	}
	var out []control.Chunk
	start := r.submitted + int64(r.started)
	for ; w.sent < now; w.sent++ {
		stream, at := uint8(1), start
		var text string
		if sp := f.own[id]; sp != nil {
			text = ownOutput(sp, f.nodes[r.node].name)[w.sent]
		} else {
			j := &jobs[r.job]
			stream, text = j.line(uint32(id), w.sent, of)
			at += int64(float64(w.sent) / float64(of) * j.mean * 1000)
		}
		if k := len(out); k > 0 && out[k-1].Stream == stream && len(out[k-1].Data) < 4<<10 && out[k-1].Time/1000 == at/1000 {
			out[k-1].Data = append(append(out[k-1].Data, text...), '\n')
			continue
		}
		out = append(out, control.Chunk{Stream: stream, Attempt: uint32(r.attempt), Time: at, Data: append([]byte(text), '\n')})
	}
	return out
}
