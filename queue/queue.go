package queue

import (
	"errors"
	"log/slog"
	"sync"

	"github.com/adauldev/octaskly/queue/badgerdb"
	"github.com/adauldev/octaskly/queue/internal/bugs"
	"github.com/adauldev/octaskly/queue/state"
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
	state  *state.State
	log    Log
	opts   Options
	space  *badgerdb.Space
	logger *slog.Logger

	observed observedTime // of Run

	mu sync.Mutex // orders proposals: the commands of one call are neighbours
}

// New puts a queue on a state and the log that feeds it. It starts nothing.
func New(s *state.State, l Log, o Options) *Queue {
	o = o.withDefaults()
	q := &Queue{state: s, log: l, opts: o, logger: o.Logger, space: badgerdb.NewSpace(o.space(), s.WriteAtOnce)}
	q.pauseCompactions()
	return q
}

// Close closes the log and then the state, which writes what it has not
// written yet. Run must have returned.
func (q *Queue) Close() error {
	return errors.Join(q.log.Close(), q.state.Close())
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
	if bugs.Planted.AckEarly {
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

// Grant leases taken tasks to a node. Refused ones are no longer taken; those
// that are still ready can be taken again. After an error whose effect is not
// known, Untake them.
func (q *Queue) Grant(node task.NodeID, grants []Grant) *Pending[[]GrantVerdict] {
	if err := q.space.MayLease(); err != nil {
		return failed[[]GrantVerdict](err)
	}
	return proposeLists[GrantVerdict](q, state.EncodeGrant(q.now(), node, grants))
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
	if err := q.space.MayWrite(); err != nil {
		return failed[[]RecordReply](err)
	}
	return proposeLists[RecordReply](q, state.EncodeRecord(q.now(), outcomes))
}

func checkOutcome(o *Outcome) error {
	if len(o.Output.Inline) > task.MaxInlineOutput || max(len(o.Exit.Message), len(o.Enforced), len(o.Output.CutBy)) > state.MaxMessage {
		return task.Errorf(task.KindTooLarge, "the outcome of task %d is larger than a record may be", o.ID)
	}
	return nil
}

// Release gives back leases that ended without an outcome. The task is queued
// again, unless it was being cancelled (cancelled), or is at-most-once and may
// have run (lost), or has had MaxCrashes crashes (failed, poison).
func (q *Queue) Release(releases []Release) *Pending[[]ReleaseReply] {
	for i := range releases {
		if len(releases[i].Output.Inline) > task.MaxInlineOutput || len(releases[i].Output.CutBy) > state.MaxMessage {
			return failed[[]ReleaseReply](task.Errorf(task.KindTooLarge, "the output of task %d is larger than a record may have", releases[i].ID))
		}
	}
	if err := q.space.MayWrite(); err != nil {
		return failed[[]ReleaseReply](err)
	}
	return proposeLists[ReleaseReply](q, state.EncodeRelease(q.now(), releases))
}

// Cancel ends tasks that are not finished: at once if they are not leased,
// else when their outcome comes or their lease ends.
func (q *Queue) Cancel(by task.Principal, ids []task.ID) *Pending[[]CancelReply] {
	if err := q.space.MayWrite(); err != nil {
		return failed[[]CancelReply](err)
	}
	return proposeLists[CancelReply](q, state.EncodeCancel(q.now(), by, ids))
}

// Purge removes finished tasks and reports how many; others are left alone.
// Of tasks with very many attempts some may be left for the next call.
func (q *Queue) Purge(ids []task.ID) *Pending[int] {
	cmds := state.EncodePurge(q.now(), ids)
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
func (q *Queue) MarkRunning(started []Started) { q.state.MarkRunning(started, q.now()) }

// Take reserves up to n ready tasks of a class, oldest first. A taken task is
// not given out again until it is granted and returned, or Untake'n. Its
// attempt number is never used again in this term, whatever becomes of it.
// While the disk is nearly full, or this node does not dispatch, it gives none.
func (q *Queue) Take(class ClassID, n int) []Item {
	term, ok := q.log.Leader()
	if !ok || q.space.MayLease() != nil {
		return nil
	}
	return q.state.Take(class, n, term)
}

// MayKeepOutput fails with KindDisk while there is too little space for output
// of tasks beside the queue.
func (q *Queue) MayKeepOutput() error { return q.space.MayKeepOutput() }

// MayStart fails with KindDisk while no tasks are started for want of space.
func (q *Queue) MayStart() error { return q.space.MayLease() }
