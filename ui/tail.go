package ui

import (
	"context"
	"sync"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/ui/part"
)

// tail keeps the output of the one task that is on the screen. Only that one
// is subscribed; what is not on the screen stays where it is.
type tail struct {
	ctl control.Control

	mu   sync.Mutex
	want task.ID
	id   task.ID
	buf  *part.LogBuffer
	next *part.LogBuffer // of the same task, asked for anew; shown once something is in it
	kick chan struct{}
	some chan struct{} // output is followed again
}

func newTail(ctl control.Control) *tail {
	return &tail{ctl: ctl, buf: part.NewLogBuffer(), kick: make(chan struct{}, 1), some: make(chan struct{}, 1)}
}

// follow asks for a task's output; 0 is none. It returns at once.
func (t *tail) follow(id task.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.want == id {
		return
	}
	t.want = id
	for _, c := range []chan struct{}{t.kick, t.some} {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// busy waits until output is followed, and reports false when ctx ended.
func (t *tail) busy(ctx context.Context) bool {
	for {
		t.mu.Lock()
		none := t.want == 0 && t.id == 0
		t.mu.Unlock()
		if !none {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-t.some:
		}
	}
}

// shown is the buffer and whose output is in it.
func (t *tail) shown() (task.ID, *part.LogBuffer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next != nil {
		if now := t.next.Stats(); now.Lines > 0 || now.Ended && t.buf.Stats().Lines == 0 {
			t.buf, t.next = t.next, nil
		}
	}
	return t.id, t.buf
}

// begin makes a new buffer for the wanted task. What is there of the same task
// stays on the screen until there is more.
func (t *tail) begin() (task.ID, *part.LogBuffer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fresh := part.NewLogBuffer()
	if t.id == t.want {
		t.next = fresh
	} else {
		t.id, t.buf, t.next = t.want, fresh, nil
	}
	return t.id, fresh
}

// run follows whatever is wanted until ctx ends. A change of mind ends the
// old stream; a broken stream is tried again after a while.
func (t *tail) run(ctx context.Context) {
	for ctx.Err() == nil {
		id, buf := t.begin()
		one, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() {
			if id == 0 {
				<-one.Done()
				done <- nil
				return
			}
			err := pour(one, t.ctl, id, buf, false)
			if one.Err() == nil {
				buf.End(errorText(err))
			}
			done <- err
		}()
		ended := t.wait(ctx, done)
		stop()
		if !ended {
			_ = <-done
		}
	}
}

// wait blocks until another task is wanted or ctx ends, and reports whether
// the stream ended by itself before that.
func (t *tail) wait(ctx context.Context, done chan error) (ended bool) {
	retry := (<-chan time.Time)(nil)
	for {
		select {
		case <-ctx.Done():
			return ended
		case <-t.kick:
			return ended
		case err := <-done:
			ended, done = true, nil
			if err != nil {
				retry = time.After(2 * time.Second)
			}
		case <-retry:
			return ended
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// pour reads a task's output into a buffer until it ends. Reading is paced,
// so that a flood is held back at its source instead of burning this CPU.
func pour(ctx context.Context, ctl control.Control, id task.ID, buf *part.LogBuffer, once bool) error {
	f, err := ctl.Follow(ctx, control.FollowRequest{ID: id, Output: true, Tail: part.MaxLogLines + 1, NoWait: once}) // the one too many tells that there is more
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = f.Close() })
	defer stop()
	defer f.Close()
	for {
		it, err := f.Next()
		if err != nil {
			if isEOF(err) || ctx.Err() != nil {
				return nil
			}
			return err
		}
		n := 0
		for i := range it.Chunks {
			c := &it.Chunks[i]
			if c.Skipped > 0 {
				buf.Lose(c.Skipped)
			}
			buf.Add(c.Stream, c.Time, c.Data)
			n += len(c.Data)
		}
		if n >= flood && !once {
			select {
			case <-ctx.Done():
			case <-time.After(pace):
			}
		}
	}
}

const (
	flood = 16 << 10 // bytes in one step from which on reading is paced
	pace  = 20 * time.Millisecond
)
