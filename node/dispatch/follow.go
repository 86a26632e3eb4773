package dispatch

import (
	"context"
	"io"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

func (d *Dispatcher) Follow(ctx context.Context, r control.FollowRequest) (control.Follower, error) {
	t, err := d.queue.Get(r.ID)
	if err != nil {
		return nil, err
	}
	if r.Attempt != 0 && (t.State.Terminal() || r.NoWait) && indexOfAttempt(&t, r.Attempt, 0) < 0 {
		return nil, task.Errorf(task.KindUsage, "task %d has no attempt %d: it had %d", r.ID, r.Attempt, len(t.Attempts))
	}
	return d.follow(ctx, r), nil
}

func (d *Dispatcher) follow(ctx context.Context, r control.FollowRequest) *follower {
	ctx, cancel := context.WithCancel(ctx)
	f := &follower{d: d, r: r, ctx: ctx, cancel: cancel, changed: make(chan struct{}, 1)}
	if r.Tail > 0 {
		f.tail = &tail{want: r.Tail}
	}
	d.mu.Lock()
	if d.follows[r.ID] == nil {
		d.follows[r.ID] = make(map[*follower]struct{})
	}
	d.follows[r.ID][f] = struct{}{}
	d.mu.Unlock()
	return f
}

// notifyLocked wakes whoever follows a task.
func (d *Dispatcher) notifyLocked(id task.ID) {
	for f := range d.follows[id] {
		select {
		case f.changed <- struct{}{}:
		default:
		}
	}
}

func (d *Dispatcher) notifyID(id task.ID) {
	d.mu.Lock()
	d.notifyLocked(id)
	d.mu.Unlock()
}

// follower reads one task's life. Next is called by one goroutine.
type follower struct {
	d       *Dispatcher
	r       control.FollowRequest
	ctx     context.Context
	cancel  context.CancelFunc
	changed chan struct{}

	told    bool
	state   task.State // last told
	attempt uint32     // last told
	cancels bool       // last told
	read    attemptReader
	begun   uint32 // number of attempts whose output was begun, or is left out
	picked  bool   // it was decided with which attempt to begin
	last    *task.Task
	tail    *tail // until what was there at the beginning has been read
}

var _ control.Follower = (*follower)(nil)

func (f *follower) Close() error {
	f.cancel()
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if set := f.d.follows[f.r.ID]; set != nil {
		delete(set, f)
		if len(set) == 0 {
			delete(f.d.follows, f.r.ID)
		}
	}
	return nil
}

// Next gives state changes that come while output is read after the output of
// the attempt they belong to.
func (f *follower) Next() (control.FollowItem, error) {
	for {
		if f.ctx.Err() != nil {
			return control.FollowItem{}, io.EOF
		}
		t, err := f.d.queue.Get(f.r.ID)
		if err != nil {
			return control.FollowItem{}, err
		}
		t.HideSecrets()
		f.last = &t
		if !f.told || t.State.Holds() && f.differs() {
			return f.tell(), nil
		}
		if f.r.Output {
			chunks, more, err := f.output()
			if err != nil {
				return control.FollowItem{}, err
			}
			if f.tail != nil {
				if len(chunks) > 0 {
					f.tail.add(chunks)
					continue
				}
				chunks, f.tail = f.tail.lines(), nil
			}
			if len(chunks) > 0 {
				return control.FollowItem{Chunks: chunks}, nil
			}
			if more != nil && !f.r.NoWait {
				f.wait(more)
				continue
			}
		}
		switch {
		case f.differs():
			return f.tell(), nil
		case t.State.Terminal() || f.r.NoWait:
			return control.FollowItem{}, io.EOF
		}
		f.wait(nil)
	}
}

func (f *follower) differs() bool {
	return f.state != f.last.State || f.attempt != uint32(len(f.last.Attempts)) || f.cancels != f.last.Cancelling
}

func (f *follower) tell() control.FollowItem {
	f.told, f.state, f.attempt, f.cancels = true, f.last.State, uint32(len(f.last.Attempts)), f.last.Cancelling
	return control.FollowItem{Task: f.last}
}

func (f *follower) wait(more <-chan struct{}) {
	select {
	case <-f.ctx.Done():
	case <-f.changed:
	case <-more:
	}
}

// output reads the next piece of output. more is not nil when there may be
// further output of the attempt at hand; it is closed when there is.
func (f *follower) output() ([]control.Chunk, <-chan struct{}, error) {
	for {
		if !f.read.open {
			a := f.pick()
			if a == nil {
				return nil, nil, nil
			}
			f.read = attemptReader{o: f.d.outputs, open: true}
			f.read.start(f.r.ID, a)
		}
		a := f.find(f.read.lease.Fence)
		chunks, more, err := f.read.next(a)
		if err != nil || len(chunks) > 0 || more != nil {
			return chunks, more, err
		}
		f.begun++
		f.read.close()
	}
}

// pick is the next attempt whose output is to be shown, or nil.
func (f *follower) pick() *task.Attempt {
	if !f.picked && f.r.Attempt == 0 && !f.r.All {
		f.begun = uint32(max(0, len(f.last.Attempts)-1))
	}
	f.picked = true
	i := indexOfAttempt(f.last, f.r.Attempt, int(f.begun))
	if i < 0 {
		return nil
	}
	f.begun = uint32(i)
	return &f.last.Attempts[i]
}

// indexOfAttempt is where the attempt with a number stands, or the next one if
// the number is 0, from an index on; -1 if there is none. Numbers may have gaps:
// one is never used twice.
func indexOfAttempt(t *task.Task, number uint32, from int) int {
	for i := from; i < len(t.Attempts); i++ {
		if number == 0 || t.Attempts[i].Fence.Attempt == number {
			return i
		}
	}
	return -1
}

func (f *follower) find(fence task.Fence) *task.Attempt {
	for i := range f.last.Attempts {
		if f.last.Attempts[i].Fence == fence {
			return &f.last.Attempts[i]
		}
	}
	return nil
}
