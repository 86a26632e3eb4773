package state

import "github.com/adauldev/octaskly/queue/task"

// SubmitVerdict is what became of one submitted task.
type SubmitVerdict uint8

// The verdicts on a submitted task.
const (
	Accepted    SubmitVerdict = iota + 1 // stored under ID
	Duplicate                            // ID is the task that this principal submitted with this key and the same spec
	KeyConflict                          // ID is a task with this key and another spec; nothing was stored
	QueueFull                            // nothing was stored
)

// Submitted is what became of one task of a submit.
type Submitted struct {
	ID      task.ID
	Verdict SubmitVerdict
}

// SubmitReply has one entry for each submitted task, in order. Accepted tasks
// of one Submit have consecutive numbers.
type SubmitReply struct {
	Tasks   []Submitted
	Waiting int // tasks not finished after this submit
	Limit   int // most there may be
}

// Err is nil for a task that is in the queue (accepted or a duplicate), else
// the refusal in words.
func (r SubmitReply) Err(i int) error {
	switch t := r.Tasks[i]; t.Verdict {
	case Accepted, Duplicate:
		return nil
	case KeyConflict:
		return task.Errorf(task.KindConflict, "the idempotency key was used before, for task %d, which is a different one", t.ID).
			WithHint("use another key, or submit exactly what task %d asked for", t.ID)
	default:
		return task.Errorf(task.KindFull, "the queue is full: %d tasks wait or run, the limit is %d", r.Waiting, r.Limit).
			WithHint("submit again when some are finished, cancel some, or start the dispatcher with a larger --max-queue-size")
	}
}

// Grant leases one task.
type Grant struct {
	ID    task.ID
	Fence task.Fence // from Take
}

// GrantVerdict is what became of one grant.
type GrantVerdict uint8

// The verdicts on a grant.
const (
	Granted     GrantVerdict = iota + 1
	GrantNotNow              // the task is not ready any more: cancelled, leased, finished or unknown
	GrantStale               // the fence is not above the last one granted, or its term is not the log's
)

// Outcome is how one attempt ended, as its worker tells it. Times are by the
// dispatcher's clock, Unix milliseconds, 0 if not known.
type Outcome struct {
	ID       task.ID
	Fence    task.Fence
	Node     task.NodeID
	Exit     task.Exit
	Started  int64
	Ended    int64
	Usage    task.Usage
	Enforced string
	Output   task.Output // Inline at most task.MaxInlineOutput; the record keeps the slice
}

// RecordVerdict is what became of one outcome.
type RecordVerdict uint8

// The verdicts on an outcome. In every case the worker may forget it.
const (
	Recorded        RecordVerdict = iota + 1 // it ended the attempt
	AlreadyRecorded                          // this fence has ended before
	Fenced                                   // the task was granted again, or given back, since
	UnknownTask                              // no such task, or no longer
)

// RecordReply is a verdict and the state in which the task is now.
type RecordReply struct {
	Verdict RecordVerdict
	State   task.State
}

// ReleaseReason is why a lease ends without an outcome.
type ReleaseReason uint8

// The reasons. The first two cost nothing; the others count as a crash of the
// worker, and a task with MaxCrashes of them fails.
const (
	Declined     ReleaseReason = iota + 1 // the worker says it did not start it and will not
	NeverStarted                          // it was not sent, or the worker proves that it did not start
	LeaseLost                             // the lease ran out
	Forgotten                             // the worker restarted and does not know it
)

// MaxCrashes is how many workers may be lost under a task before it fails.
const MaxCrashes = 5

// Release gives back one lease.
type Release struct {
	ID      task.ID
	Fence   task.Fence
	Why     ReleaseReason
	Message string // one line for people; kept for LeaseLost and Forgotten

	// What is known of the attempt all the same. Zero is not known.
	Started int64       // Unix ms, dispatcher's clock
	Output  task.Output // as far as it arrived
}

// ReleaseReply says whether the lease was held (true) and the state in which
// the task is now: queued, or cancelled, lost or failed.
type ReleaseReply struct {
	Released bool
	State    task.State
}

// CancelVerdict is what became of one cancel.
type CancelVerdict uint8

// The verdicts on a cancel.
const (
	CancelDone     CancelVerdict = iota + 1 // it was not leased and is cancelled
	CancelPending                           // it is leased; the worker must be told
	CancelTooLate                           // it is finished
	CancelNotFound                          // no such task, or no longer
)

// CancelReply is the verdict on one cancel; Node and Fence name the lease when
// it is CancelPending.
type CancelReply struct {
	ID      task.ID
	Verdict CancelVerdict
	State   task.State
	Node    task.NodeID
	Fence   task.Fence
}
