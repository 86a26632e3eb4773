package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// maxFollowed is how many tasks logs -f --all follows at once.
const maxFollowed = 64

// allLogs follows every task that runs.
type allLogs struct {
	env    *environment
	c      *connection
	f      *logFlags
	slots  chan struct{}
	wg     sync.WaitGroup
	failed context.CancelCauseFunc

	mu   sync.Mutex // one line at a time; guards what follows
	sink *sink
	on   map[task.ID]seen // of those whose end was not seen yet
}

// seen is what was seen of one task: its output may end before or after its
// last event arrives.
type seen struct{ following, over bool }

// followAllLogs prints what all tasks write until it is interrupted.
func followAllLogs(env *environment, f *logFlags) error {
	c, err := env.connect()
	if err != nil {
		return err
	}
	defer c.close()
	ctx, fail := context.WithCancelCause(env.ctx)
	l := &allLogs{env: env, c: c, f: f, slots: make(chan struct{}, maxFollowed), failed: fail, sink: newSink(env), on: map[task.ID]seen{}}
	defer l.sink.close()
	defer l.wg.Wait()
	defer fail(nil)
	// The stream comes before the list, so that nothing starts in between.
	s, err := c.Events(ctx, control.EventsRequest{Kinds: []control.EventKind{control.EventTask}})
	if err != nil {
		return withHints(err)
	}
	defer closeWith(ctx, s)()
	running := control.Query{States: []task.State{task.Assigned, task.Running}}
	err = c.pages(ctx, running, 0, func(p control.Page) error {
		for i := range p.Tasks {
			l.begin(ctx, p.Tasks[i].ID, true)
		}
		return nil
	})
	for err == nil {
		var events []control.Event
		if events, err = s.Next(); err != nil {
			break
		}
		for i := range events {
			switch e := &events[i]; {
			case e.Kind == control.EventGap:
				env.out.warn("octaskly: %s", text.CleanLine(eventText(e)))
			case e.To == task.Assigned:
				l.begin(ctx, e.Task, false)
			case e.To.Terminal():
				l.mark(e.Task, func(s *seen) { s.over = true })
			}
		}
	}
	switch cause := context.Cause(ctx); {
	case cause != nil:
		return cause
	case errors.Is(err, io.EOF):
		return nil
	}
	return withHints(err)
}

// begin follows a task unless it is followed already. Of one that runs already
// only what comes from now on is shown.
func (l *allLogs) begin(ctx context.Context, id task.ID, old bool) {
	l.mu.Lock()
	_, known := l.on[id]
	if !known {
		l.on[id] = seen{following: true}
	}
	l.mu.Unlock()
	if known {
		return
	}
	select {
	case l.slots <- struct{}{}:
	default:
		l.mark(id, func(s *seen) { s.following = false })
		l.env.out.say("octaskly: task %s is not shown: %d others are", id, maxFollowed)
		return
	}
	l.wg.Go(func() {
		defer func() { <-l.slots }()
		err := l.one(ctx, id, old)
		l.mark(id, func(s *seen) { s.following = false })
		var out outputError
		switch {
		case errors.As(err, &out):
			l.failed(err)
		case err != nil && ctx.Err() == nil:
			l.env.out.warn("octaskly: the output of task %s: %s", id, text.CleanLine(err.Error()))
		}
	})
}

// mark changes what was seen of a task, and forgets it when all was.
func (l *allLogs) mark(id task.ID, set func(*seen)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.on[id]
	if !ok {
		return
	}
	set(&s)
	if l.on[id] = s; s.over && !s.following {
		delete(l.on, id)
	}
}

// one prints what one task writes, line by line.
func (l *allLogs) one(ctx context.Context, id task.ID, old bool) error {
	r := control.FollowRequest{ID: id, Output: true}
	if old {
		r.Tail = 1
	}
	s, err := l.c.Follow(ctx, r)
	if err != nil {
		return err
	}
	defer closeWith(ctx, s)()
	var parts [3][]byte // unfinished lines, by stream
	for {
		item, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		for i := range item.Chunks {
			c := &item.Chunks[i]
			part := &parts[min(c.Stream, 2)]
			*part = append(*part, c.Data...)
			n := bytes.LastIndexByte(*part, '\n') + 1
			if n == 0 && len(*part) > 64<<10 {
				n = len(*part)
			}
			if err := l.print(id, c, (*part)[:n]); err != nil {
				return outputError{err}
			}
			*part = append((*part)[:0], (*part)[n:]...)
		}
	}
	for stream, rest := range parts {
		if err := l.print(id, &control.Chunk{Stream: uint8(stream)}, rest); err != nil {
			return outputError{err}
		}
	}
	return nil
}

// print writes whole lines, each behind the number of its task.
func (l *allLogs) print(id task.ID, c *control.Chunk, lines []byte) error {
	if len(lines) == 0 && c.Skipped == 0 {
		return nil
	}
	out := *c
	out.Data = lines
	if !l.env.out.json {
		out.Data = nil
		for line := range bytes.Lines(lines) {
			out.Data = append(append(append(out.Data, id.String()...), " | "...), bytes.TrimSuffix(line, []byte("\n"))...)
			out.Data = append(out.Data, '\n')
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return printLogChunk(l.env, id, l.sink, &out, l.f)
}
