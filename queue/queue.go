package queue

import (
	"context"
	"log/slog"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// Options says where a queue lives and how much it keeps. The zero value of a
// field is its default.
type Options struct {
	Dir       string        // holds state/ (and, by raftq, raft/); made if missing, mode 0700
	MaxSize   int           // most tasks that are not finished; default 1,000,000
	KeepAge   time.Duration // finished tasks are removed after this; default 7 days, negative never
	KeepCount int           // most finished tasks kept; default 100,000, negative all
	MinFree   int64         // bytes; below it submits are refused; default max(512 MiB, …) of the disk, see space.go
	Ballast   int64         // bytes set aside to get results stored on a full disk; default 64 MiB
	Now       func() time.Time
	Logger    *slog.Logger
}

// Queue is what a dispatcher talks to: it proposes changes to a Log and reads
// the State that they are applied to. A task is in exactly one state; a lease
// names one holder and one fence; an acknowledged change survives any crash.
//
// All methods may be called from any goroutine. Changes are pipelined: the
// call returns at once with a Pending, and changes made from one goroutine
// apply in the order of the calls. Lists of any length are cut into commands
// of at most task.MaxBatch; the Pending settles when all of them have.
type Queue struct {
	state *State
	log   Log
}

// Run removes finished tasks by age and number, makes delayed retries ready
// and watches free space, until ctx ends. Without it none of that happens.
func (q *Queue) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// Close closes the log and the state, in this order. Run must have returned.
func (q *Queue) Close() error { return nil }

// Leader reports whether this queue takes changes now, and in which term.
func (q *Queue) Leader() (term uint64, ok bool) { return q.log.Leader() }

// Submit stores tasks on behalf of by. Tasks that break a limit of package
// task make the whole call fail with task.KindUsage or KindTooLarge; a disk
// with too little space makes it fail with KindDisk.
func (q *Queue) Submit(by task.Principal, tasks []NewTask) *Pending[SubmitReply] {
	return failed[SubmitReply](errNotLeader)
}

// Classes lists the classes that have ready tasks, highest priority first,
// then oldest task first. Costs O(classes).
func (q *Queue) Classes() []Class { return nil }

// Ready is signalled (capacity one) when tasks became ready since the last
// receive: submitted, given back, or due for a retry.
func (q *Queue) Ready() <-chan struct{} { return nil }

// Take reserves up to n ready tasks of a class, oldest first. A taken task is
// not given out again until it is granted and returned, or Untake'n. Its
// attempt number is never used again in this term, whatever becomes of it.
// While the disk is nearly full it gives none.
func (q *Queue) Take(class ClassID, n int) []Item { return nil }

// Untake gives back tasks that were taken and not granted.
func (q *Queue) Untake(ids ...task.ID) {}

// Grant leases taken tasks to a node. Refused ones are no longer taken; those
// that are still ready can be taken again.
func (q *Queue) Grant(node task.NodeID, grants []Grant) *Pending[[]GrantVerdict] {
	return failed[[]GrantVerdict](errNotLeader)
}

// MarkRunning notes that the worker has started leased tasks. It is volatile:
// after a restart they are assigned until it is told again. Leases that are
// not current are ignored.
func (q *Queue) MarkRunning(started []Started) {}

// Started says when a worker started a leased task.
type Started struct {
	ID    task.ID
	Fence task.Fence
	At    int64 // Unix ms, dispatcher's clock
}

// Record ends attempts. A task gets exactly one final record: an outcome of
// another fence than the current one never changes anything. An attempt that
// failed and may be repeated makes its task Retry, with a delay from
// RetryDelay.
func (q *Queue) Record(outcomes []Outcome) *Pending[[]RecordReply] {
	return failed[[]RecordReply](errNotLeader)
}

// Return gives back leases that ended without an outcome. The task is queued
// again, unless it was being cancelled (cancelled), or is at-most-once and may
// have run (lost), or has had MaxCrashes crashes (failed, poison).
func (q *Queue) Return(returns []Return) *Pending[[]ReturnReply] {
	return failed[[]ReturnReply](errNotLeader)
}

// Cancel ends tasks that are not finished: at once if they are not leased,
// else when their outcome comes or their lease ends.
func (q *Queue) Cancel(by task.Principal, ids []task.ID) *Pending[[]CancelReply] {
	return failed[[]CancelReply](errNotLeader)
}

// Purge removes finished tasks and reports how many; others are left alone.
func (q *Queue) Purge(ids []task.ID) *Pending[int] { return failed[int](errNotLeader) }

// PutMember adds a member or replaces it. The name gets a suffix (-2, -3 …) if
// another member has it; the reply is the member as stored. Joined and Drained
// of a member that exists are kept. It fails with KindNotAllowed if the id is
// revoked.
func (q *Queue) PutMember(m Member) *Pending[Member] { return failed[Member](errNotLeader) }

// RemoveMember removes a member and revokes its key. KindNotFound if it is none.
func (q *Queue) RemoveMember(id task.NodeID, by string) *Pending[Member] {
	return failed[Member](errNotLeader)
}

// SetDrain makes a member take no more tasks, or take them again.
func (q *Queue) SetDrain(id task.NodeID, drain bool) *Pending[Member] {
	return failed[Member](errNotLeader)
}

// PutInvite stores an invite.
func (q *Queue) PutInvite(i Invite) *Pending[Invite] { return failed[Invite](errNotLeader) }

// UseInvite spends one use of an invite for a node and returns the invite. The
// same node may ask again without spending another. KindNotFound if there is
// no such invite, KindConflict if it is used up, KindTimeout if it expired.
func (q *Queue) UseInvite(id string, node task.NodeID) *Pending[Invite] {
	return failed[Invite](errNotLeader)
}

// DropInvite removes an invite, if it is there.
func (q *Queue) DropInvite(id string) *Pending[struct{}] { return failed[struct{}](errNotLeader) }

// PutMeta stores a small value (at most 64 KiB) about the cluster, such as its
// certificate authority, under a name; nil removes it. If once is set and the
// name exists already, nothing changes. The reply is the value now stored.
func (q *Queue) PutMeta(name string, value []byte, once bool) *Pending[[]byte] {
	return failed[[]byte](errNotLeader)
}

// Meta is a value stored by PutMeta, or nil.
func (q *Queue) Meta(name string) []byte { return nil }

// Members lists the members by name.
func (q *Queue) Members() []Member { return nil }

// Revocations lists the revoked keys, oldest first.
func (q *Queue) Revocations() []Revocation { return nil }

// Invites lists the invites that are neither used up nor expired.
func (q *Queue) Invites() []Invite { return nil }

// Get is one task with all its attempts; KindNotFound if there is none.
func (q *Queue) Get(id task.ID) (task.Task, error) {
	return task.Task{}, task.Errorf(task.KindNotFound, "there is no task %d", id)
}

// List is a page of tasks with all their attempts.
func (q *Queue) List(ctx context.Context, f Filter) (Page, error) { return Page{}, nil }

// Counts is the number of tasks in each state.
func (q *Queue) Counts() map[task.State]int { return nil }

// ReadyCount is the number of tasks that could start now: in all classes, not
// taken.
func (q *Queue) ReadyCount() int { return 0 }

// Limit is the most tasks that may be unfinished.
func (q *Queue) Limit() int { return 0 }

// Position is the number of ready tasks that go before this one, by priority
// and then by number; 0 if it is not waiting.
func (q *Queue) Position(id task.ID) int { return 0 }

// Held lists the leases of a node, or of all nodes if node is empty, by task
// number.
func (q *Queue) Held(node task.NodeID) []Lease { return nil }

// Hash is a hash of everything stored; replicas that applied the same commands
// have the same hash.
func (q *Queue) Hash() uint64 { return 0 }

// Watch reads the feed of changes after a position; 0 is from now.
func (q *Queue) Watch(from uint64) *Watcher { return &Watcher{} }

// Watcher yields changes in order. It belongs to one goroutine.
type Watcher struct{}

// ErrGap says that changes between the position and now are no longer kept:
// read everything again, then go on with Next, which continues from now.
var ErrGap = task.Errorf(task.KindConflict, "the reader fell behind the changes").
	WithHint("read everything again")

// Next waits for changes and returns at least one, in order, or ErrGap once.
// The slice is valid until the next call.
func (w *Watcher) Next(ctx context.Context) ([]Change, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

// State is the state machine and its store.
type State struct{}
