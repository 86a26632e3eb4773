package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// followOptions says how a task is followed to its end.
type followOptions struct {
	output   bool
	failFast bool
	detach   bool // an interrupt leaves the task running
}

// reconnectFor is how long a follower looks for a dispatcher that went away;
// the task runs on meanwhile.
const reconnectFor = 2 * time.Minute

// submitAndFollow queues a task on the cluster, follows it, and ends as it
// did.
func submitAndFollow(env *environment, sub submission, o followOptions) error {
	c, err := env.connect()
	if err != nil {
		return err
	}
	defer func() { c.close() }()
	ctx, cancel := env.answer()
	id, _, err := c.submit(ctx, &sub, o.failFast)
	cancel()
	if err != nil {
		return withHints(err)
	}
	if !o.output {
		env.out.say("%s queued", id)
	}
	f := &following{env: env, id: id, o: o, sink: newSink(env), reconnect: env.connect}
	f.c.Store(c)
	err = f.run()
	c = f.c.Load()
	return err
}

// following is one task being followed to its end. A connection that breaks is
// made anew and what was printed already is not printed again.
type following struct {
	env       *environment
	c         atomic.Pointer[connection] // replaced by the goroutine that reads, used by the one that cancels
	id        task.ID
	o         followOptions
	sink      *sink
	reconnect func() (*connection, error) // nil: a broken connection is the end

	last    task.Task
	printed map[uint32]int64 // bytes printed, by attempt
	replay  map[uint32]int64 // bytes to leave out after a reconnect, by attempt
	asked   int              // interrupts so far
	begun   uint32           // the newest attempt that was said to begin
	unread  error            // why output can be written no more; the task was cancelled then
}

// run follows the task and gives its exit code as a silent error.
func (f *following) run() error {
	defer f.sink.close()
	f.printed = map[uint32]int64{}
	ctx, cancel := context.WithCancel(f.env.ctx)
	defer cancel()
	signals := f.env.takeSignals()
	if f.env.Signals != nil {
		// Without this a reader that went away would end the program before it
		// can cancel the task. The signal itself is dropped.
		signal.Notify(f.env.Signals, syscall.SIGPIPE)
	}
	results := make(chan error, 1)
	go func() { results <- f.follow(ctx) }()
	waits := time.NewTimer(explainAfter)
	defer waits.Stop()
	for {
		select {
		case err := <-results:
			return f.end(err)
		case <-waits.C:
			f.explain()
		case s := <-signals:
			if leave := f.interrupted(s); leave != nil {
				cancel()
				_ = <-results
				return leave
			}
		}
	}
}

// explainAfter is how long a task may wait before whoever follows it is told
// why, if no node there is could run it.
const explainAfter = 1500 * time.Millisecond

// explain says why the task waits, if waiting alone does not help.
func (f *following) explain() {
	ctx, done := f.env.answer()
	defer done()
	w, err := f.c.Load().Why(ctx, f.id)
	if err != nil || w.Waits == nil || slices.ContainsFunc(w.Waits.Nodes, func(n control.NodeVerdict) bool { return n.Fits }) {
		return
	}
	f.env.out.say("octaskly: task %s waits: %s", f.id, cleanLines(w.Would))
}

// interrupted cancels the task at the first signal, kills it at the second,
// and at the third leaves. A hang-up leaves at once.
func (f *following) interrupted(s os.Signal) error {
	f.asked++
	switch {
	case s == syscall.SIGHUP:
		return signalled{s}
	case f.o.detach:
		f.env.out.say("left running: octaskly logs -f %s", f.id)
		return signalled{s}
	case f.asked == 1:
		f.env.out.say("cancelling %s (again kills it, or use --detach-on-interrupt)", f.id)
		f.cancel(0)
	case f.asked == 2:
		f.env.out.say("killing %s (again leaves it)", f.id)
		f.cancel(-1)
	default:
		f.env.out.warn("left %s without knowing how it ended: octaskly show %s", f.id, f.id)
		return signalled{s}
	}
	return nil
}

func (f *following) cancel(grace time.Duration) {
	ctx, done := f.env.answer()
	defer done()
	_, err := f.c.Load().Cancel(ctx, control.CancelRequest{IDs: []task.ID{f.id}, Grace: grace})
	if err != nil {
		f.env.out.warn("cancel %s: %s", f.id, cleanLines(err.Error()))
	}
}

// end turns what became of the task into the exit code.
func (f *following) end(err error) error {
	if err != nil {
		return withHints(err)
	}
	t := &f.last
	if f.env.out.json {
		ctx, done := f.env.answer()
		defer done()
		if err := writeJSON(f.env.Stderr, text.DocumentOf(t, f.c.Load().nodeName(ctx), false)); err != nil {
			return err
		}
	} else if line := endLine(t); line != "" {
		f.env.out.say("octaskly: %s", line)
	}
	switch {
	case errors.Is(f.unread, syscall.EPIPE):
		return signalled{syscall.SIGPIPE}
	case f.unread != nil:
		return outputError{f.unread}
	case f.asked > 0:
		return silent(exitStopped)
	}
	if code := outcomeCode(t); code != exitOK {
		return silent(code)
	}
	return nil
}

// endLine says how a task ended when its exit code alone does not.
func endLine(t *task.Task) string {
	var exit task.Exit
	if last := t.Last(); last != nil {
		exit = last.Exit
	}
	msg := text.CleanLine(exit.Message)
	switch {
	case t.State == task.Done, t.State == task.Failed && exit.Reason == task.ReasonExit && msg == "":
		return ""
	case t.State == task.Lost && t.Last() != nil && t.Last().Started != 0:
		return "task " + t.ID.String() + " is lost; it had started: " + msg
	case t.State == task.Lost:
		return "task " + t.ID.String() + " is lost: it may or may not have run"
	case msg != "":
		return "task " + t.ID.String() + " " + t.State.String() + ": " + msg
	case t.State == task.Failed && exit.Reason == task.ReasonSignal:
		return "task " + t.ID.String() + " was ended by signal " + itoa(int(exit.Signal))
	case exit.Reason != "" && t.State == task.Failed:
		return "task " + t.ID.String() + " failed: " + text.CleanLine(string(exit.Reason))
	}
	return "task " + t.ID.String() + " " + t.State.String()
}

// follow reads until the task has ended, reconnecting as often as it must.
func (f *following) follow(ctx context.Context) error {
	for {
		err := f.once(ctx)
		switch {
		case err == nil && f.last.State.Terminal():
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && !mayPass(err), f.reconnect == nil:
			if err == nil {
				err = task.Errorf(task.KindInternal, "the output of task %s ended before the task did", f.id)
			}
			return err
		}
		if err := f.again(ctx, err); err != nil {
			return err
		}
	}
}

// mayPass reports whether an error says something of the connection and not of
// the task.
func mayPass(err error) bool {
	var out outputError
	if errors.As(err, &out) {
		return false
	}
	switch kindOf(err) {
	case task.KindNoDispatcher, task.KindUnavailable, task.KindTimeout, task.KindInternal, "failed":
		return true
	}
	return false
}

// again looks for the dispatcher after the connection broke.
func (f *following) again(ctx context.Context, cause error) error {
	f.env.out.say("octaskly: the connection broke; task %s runs on, looking for the dispatcher", f.id)
	until := time.Now().Add(reconnectFor)
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		c, err := f.reconnect()
		if err == nil {
			f.c.Swap(c).close()
			f.replay = map[uint32]int64{}
			for k, n := range f.printed {
				f.replay[k] = n
			}
			return nil
		}
		if time.Now().After(until) {
			if cause != nil {
				return cause
			}
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// once follows over one connection.
func (f *following) once(ctx context.Context) error {
	s, err := f.c.Load().Follow(ctx, control.FollowRequest{ID: f.id, Output: f.o.output, All: true})
	if err != nil {
		return err
	}
	defer closeWith(ctx, s)()
	for {
		item, err := s.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if item.Task != nil {
			f.last = *item.Task
			if last := f.last.Last(); last != nil {
				f.sayAttempt(last.Fence.Attempt)
			}
		}
		for i := range item.Chunks {
			f.sayAttempt(item.Chunks[i].Attempt)
			if err := f.print(&item.Chunks[i]); err != nil && f.unread == nil {
				f.nobodyReads(err)
			}
		}
	}
}

// nobodyReads ends a task whose output can be written no more, as an interrupt
// would: nobody would learn of it, and it might go on for hours.
func (f *following) nobodyReads(err error) {
	f.unread = err
	f.sink.discard()
	why := "nobody reads its output any more"
	if !errors.Is(err, syscall.EPIPE) {
		why = "its output cannot be written: " + cleanLines(err.Error())
	}
	f.env.out.say("octaskly: cancelling %s: %s", f.id, why)
	f.cancel(0)
}

// sayAttempt says once of each attempt but the first that it begins, where, and
// how the one before ended: what was printed until now may come again.
func (f *following) sayAttempt(number uint32) {
	if number <= max(f.begun, 1) || !f.o.output {
		return
	}
	f.begun = number
	ctx, done := f.env.answer()
	defer done()
	if last := f.last.Last(); last == nil || last.Fence.Attempt < number { // its output came first
		if t, err := f.c.Load().Get(ctx, f.id); err == nil {
			f.last = t
		}
	}
	f.env.out.say("octaskly: %s", text.CleanLine(attemptLine(&f.last, number, f.c.Load().nodeName(ctx))))
}

// attemptLine says that an attempt begins and what is known of the one before.
func attemptLine(t *task.Task, number uint32, nodeName func(task.NodeID) string) string {
	line := "attempt " + itoa(int(number)) + " begins"
	before := ""
	for i := range t.Attempts {
		switch attempt := &t.Attempts[i]; {
		case attempt.Fence.Attempt == number && attempt.Node != "":
			line += " on " + nodeName(attempt.Node)
		case attempt.Fence.Attempt < number && attempt.Ended != 0:
			before = "; attempt " + itoa(int(attempt.Fence.Attempt)) + " ended with " + text.Exit(&attempt.Exit)
		}
	}
	return line + before
}

// closeWith closes a stream when ctx ends, which wakes whoever reads from it,
// or when the returned function is called, and only once.
func closeWith(ctx context.Context, s io.Closer) func() {
	var once sync.Once
	end := func() { once.Do(func() { _ = s.Close() }) } // nothing is written through it
	stop := context.AfterFunc(ctx, end)
	return func() {
		stop()
		end()
	}
}
