package queue

import (
	"errors"
	"log/slog"
	"sync"

	"github.com/adauldev/octaskly/queue/task"
)

// Queue is what a dispatcher talks to: it proposes changes to a Log and reads
// the State that they are applied to. A task is in exactly one state; a lease
// names one holder and one fence; an acknowledged change survives any crash.
//
// All methods may be called from any goroutine. Changes are pipelined: the
// call returns at once with a Pending, and changes made from one goroutine
// apply in the order of the calls. Lists of any length are cut into commands
// of at most task.MaxBatch; the Pending settles when all of them have, with
// the first error if there was one, and what was done before it stays done.
type Queue struct {
	*State
	log    Log
	opts   Options
	space  *space
	logger *slog.Logger

	mu sync.Mutex // orders proposals: the commands of one call are neighbours
}

// New puts a queue on a state and the log that feeds it. It starts nothing.
func New(s *State, l Log, o Options) *Queue {
	o = o.withDefaults()
	q := &Queue{State: s, log: l, opts: o, logger: o.Logger, space: newSpace(o, s.hurry)}
	q.quieten()
	return q
}

// Close closes the log and then the state, which writes what it has not
// written yet. Run must have returned.
func (q *Queue) Close() error {
	return errors.Join(q.log.Close(), q.State.Close())
}

// Log is what orders this queue's changes.
func (q *Queue) Log() Log { return q.log }

// Leader reports whether this queue takes changes now, and in which term.
func (q *Queue) Leader() (term uint64, ok bool) { return q.log.Leader() }

// Limit is the most tasks that may be unfinished.
func (q *Queue) Limit() int { return q.opts.MaxSize }

func (q *Queue) now() int64 { return q.opts.Now().UnixMilli() }

// propose sends one command whose answer is a T.
func propose[T any](q *Queue, cmd []byte, settle func(T, error)) {
	done := func(a Applied, err error) {
		var v T
		if err == nil {
			switch x := a.Reply.(type) {
			case T:
				v = x
			case error:
				err = x
			default:
				err = task.Errorf(task.KindInternal, "the state answered %T", a.Reply)
			}
		}
		settle(v, err)
	}
	if bugs.AckEarly {
		early(q, cmd, done)
		return
	}
	q.log.Propose(cmd, done)
}

// gather settles p when all parts of a cut change have, in order.
type gather[T any] struct {
	mu    sync.Mutex
	left  int
	parts []T
	err   error
	end   func([]T, error)
}

func newGather[T any](n int, end func([]T, error)) *gather[T] {
	return &gather[T]{left: n, parts: make([]T, n), end: end}
}

func (g *gather[T]) settle(i int, v T, err error) {
	g.mu.Lock()
	g.parts[i] = v
	if g.err == nil {
		g.err = err
	}
	g.left--
	last := g.left == 0
	g.mu.Unlock()
	if last {
		g.end(g.parts, g.err)
	}
}

// proposeLists sends commands whose answers are lists, and joins the lists.
func proposeLists[T any](q *Queue, cmds [][]byte) *Pending[[]T] {
	p := &Pending[[]T]{}
	if len(cmds) == 0 {
		p.settle(nil, nil)
		return p
	}
	if len(cmds) == 1 {
		q.mu.Lock()
		propose(q, cmds[0], p.settle)
		q.mu.Unlock()
		return p
	}
	g := newGather(len(cmds), func(parts [][]T, err error) {
		var all []T
		for _, x := range parts {
			all = append(all, x...)
		}
		p.settle(all, err)
	})
	q.mu.Lock()
	for i, c := range cmds {
		propose(q, c, func(v []T, err error) { g.settle(i, v, err) })
	}
	q.mu.Unlock()
	return p
}

// cut writes items into commands of at most task.MaxBatch items and about
// maxCommandBytes. head writes what stands before the count, one writes an item
// and is told the one before in the same command, if any.
func cut[T any](items []T, head func([]byte) []byte, one func(b []byte, t, before *T) []byte) [][]byte {
	var cmds [][]byte
	var body []byte
	n := 0
	flush := func() {
		if n == 0 {
			return
		}
		cmds = append(cmds, append(putUint(head(make([]byte, 0, len(body)+32)), uint64(n)), body...))
		body, n = body[:0], 0
	}
	for i := range items {
		size := len(body)
		var before *T
		if n > 0 {
			before = &items[i-1]
		}
		body = one(body, &items[i], before)
		if n++; n > 1 && len(body) > maxCommandBytes {
			body, n = body[:size], n-1
			flush()
			body, n = one(body, &items[i], nil), 1
		}
		if n == task.MaxBatch {
			flush()
		}
	}
	flush()
	return cmds
}

// Grant leases taken tasks to a node. Refused ones are no longer taken; those
// that are still ready can be taken again. After an error whose effect is not
// known, Untake them.
func (q *Queue) Grant(node task.NodeID, grants []Grant) *Pending[[]GrantVerdict] {
	if err := q.space.mayGrant(); err != nil {
		return failed[[]GrantVerdict](err)
	}
	now := q.now()
	return proposeLists[GrantVerdict](q, cut(grants,
		func(b []byte) []byte { return putString(beginCommand(b, cmdGrant, now), string(node)) },
		appendGrant))
}

// Record ends attempts. A task gets exactly one final record: an outcome of
// another fence than the current one never changes anything. An attempt that
// failed and may be repeated makes its task Retry, with a delay from
// RetryDelay.
func (q *Queue) Record(outcomes []Outcome) *Pending[[]RecordReply] {
	for i := range outcomes {
		if err := checkOutcome(&outcomes[i]); err != nil {
			return failed[[]RecordReply](err)
		}
	}
	if err := q.space.mayWrite(); err != nil {
		return failed[[]RecordReply](err)
	}
	now := q.now()
	return proposeLists[RecordReply](q, cut(outcomes,
		func(b []byte) []byte { return beginCommand(b, cmdRecord, now) }, appendOutcome))
}

func checkOutcome(o *Outcome) error {
	if len(o.Output.Inline) > task.MaxInlineOutput || len(o.Exit.Message) > maxMessage || len(o.Enforced) > maxMessage {
		return task.Errorf(task.KindTooLarge, "the outcome of task %d is larger than a record may be", o.ID)
	}
	return nil
}

// Return gives back leases that ended without an outcome. The task is queued
// again, unless it was being cancelled (cancelled), or is at-most-once and may
// have run (lost), or has had MaxCrashes crashes (failed, poison).
func (q *Queue) Return(returns []Return) *Pending[[]ReturnReply] {
	if err := q.space.mayWrite(); err != nil {
		return failed[[]ReturnReply](err)
	}
	now := q.now()
	return proposeLists[ReturnReply](q, cut(returns,
		func(b []byte) []byte { return beginCommand(b, cmdReturn, now) },
		func(b []byte, t, _ *Return) []byte {
			if len(t.Message) > maxMessage {
				short := *t
				short.Message = t.Message[:maxMessage]
				t = &short
			}
			return appendReturn(b, t)
		}))
}

// Cancel ends tasks that are not finished: at once if they are not leased,
// else when their outcome comes or their lease ends.
func (q *Queue) Cancel(by task.Principal, ids []task.ID) *Pending[[]CancelReply] {
	if err := q.space.mayWrite(); err != nil {
		return failed[[]CancelReply](err)
	}
	now := q.now()
	return proposeLists[CancelReply](q, cut(ids,
		func(b []byte) []byte { return putString(beginCommand(b, cmdCancel, now), string(by)) }, appendID))
}

func appendID(b []byte, id, _ *task.ID) []byte { return putUint(b, uint64(*id)) }

// Purge removes finished tasks and reports how many; others are left alone.
// Of tasks with very many attempts some may be left for the next call.
func (q *Queue) Purge(ids []task.ID) *Pending[int] {
	now := q.now()
	cmds := cut(ids, func(b []byte) []byte { return beginCommand(b, cmdPurge, now) }, appendID)
	p := &Pending[int]{}
	if len(cmds) == 0 {
		p.settle(0, nil)
		return p
	}
	g := newGather(len(cmds), func(parts []int, err error) {
		n := 0
		for _, x := range parts {
			n += x
		}
		p.settle(n, err)
	})
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, c := range cmds {
		propose(q, c, func(v int, err error) { g.settle(i, v, err) })
	}
	return p
}

// MarkRunning notes that the worker has started leased tasks. It is volatile:
// after a restart they are assigned until it is told again. Leases that are
// not current are ignored.
func (q *Queue) MarkRunning(started []Started) { q.markRunning(started, q.now()) }

// Started says when a worker started a leased task.
type Started struct {
	ID    task.ID
	Fence task.Fence
	At    int64 // Unix ms, dispatcher's clock
}

// Take reserves up to n ready tasks of a class, oldest first. A taken task is
// not given out again until it is granted and returned, or Untake'n. Its
// attempt number is never used again in this term, whatever becomes of it.
// While the disk is nearly full, or this node does not dispatch, it gives none.
func (q *Queue) Take(class ClassID, n int) []Item {
	term, ok := q.log.Leader()
	if !ok || q.space.mayGrant() != nil {
		return nil
	}
	return q.take(class, n, term)
}
