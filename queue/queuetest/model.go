// Package queuetest holds what tests of a queue share: a model of what a queue
// should answer, random histories, a conformance suite for logs, and a way to
// crash a process that holds a queue.
package queuetest

import (
	"slices"
	"time"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/state"
	"github.com/adauldev/octaskly/queue/task"
)

// Model is a queue written as plainly as possible: a map, no store, no index.
// It predicts the answer to every change.
type Model struct {
	Limit int
	Next  task.ID
	Tasks map[task.ID]*ModelTask
}

// ModelTask is one task of a Model.
type ModelTask struct {
	Spec      task.Spec
	Key       string
	By        task.Principal
	State     task.State
	Last      task.Fence
	Node      task.NodeID
	NotBefore int64
	Failures  uint32
	Crashes   int
	Cancel    bool
	Attempts  int // recorded in its history
	Ends      int // final records; never more than one
}

// NewModel makes an empty queue with a limit.
func NewModel(limit int) *Model {
	return &Model{Limit: limit, Next: 1, Tasks: map[task.ID]*ModelTask{}}
}

// Waiting is the number of tasks that are not finished.
func (m *Model) Waiting() int {
	n := 0
	for _, t := range m.Tasks {
		if !t.State.Terminal() {
			n++
		}
	}
	return n
}

// Submit predicts queue.Queue.Submit.
func (m *Model) Submit(by task.Principal, list []task.NewTask) []queue.Submitted {
	var out []queue.Submitted
	for _, n := range list {
		out = append(out, m.submit(by, n))
	}
	return out
}

func (m *Model) submit(by task.Principal, n task.NewTask) queue.Submitted {
	if n.Key != "" {
		for id, t := range m.Tasks {
			if t.Key == n.Key && t.By == by {
				if t.Spec.Shell == n.Spec.Shell && t.Spec.Priority == n.Spec.Priority && t.Spec.Retries == n.Spec.Retries && t.Spec.Delivery == n.Spec.Delivery {
					return queue.Submitted{ID: id, Verdict: queue.Duplicate}
				}
				return queue.Submitted{ID: id, Verdict: queue.KeyConflict}
			}
		}
	}
	if m.Waiting() >= m.Limit {
		return queue.Submitted{Verdict: queue.QueueFull}
	}
	id := m.Next
	m.Next++
	m.Tasks[id] = &ModelTask{Spec: n.Spec, Key: n.Key, By: by, State: task.Queued}
	return queue.Submitted{ID: id, Verdict: queue.Accepted}
}

// Grant predicts queue.Queue.Grant in a term.
func (m *Model) Grant(node task.NodeID, g queue.Grant, term uint64, now int64) queue.GrantVerdict {
	t := m.Tasks[g.ID]
	if t == nil || t.State != task.Queued && (t.State != task.Retry || t.NotBefore > now) {
		return queue.GrantNotNow
	}
	if g.Fence.Term != term || g.Fence.Attempt == 0 || !t.Last.Less(g.Fence) {
		return queue.GrantStale
	}
	t.State, t.Last, t.Node, t.NotBefore = task.Assigned, g.Fence, node, 0
	return queue.Granted
}

// Record predicts queue.Queue.Record.
func (m *Model) Record(o queue.Outcome, now int64) queue.RecordReply {
	t := m.Tasks[o.ID]
	if t == nil {
		return queue.RecordReply{Verdict: queue.UnknownTask}
	}
	if t.State != task.Assigned || t.Last != o.Fence || o.Node != "" && o.Node != t.Node {
		v := queue.Fenced
		if t.Last == o.Fence && t.Last != (task.Fence{}) && (t.State == task.Retry || t.State.Terminal()) {
			v = queue.AlreadyRecorded
		}
		return queue.RecordReply{Verdict: v, State: t.State}
	}
	t.Attempts++
	switch {
	case o.Exit.Reason == task.ReasonCancelled:
		m.end(t, task.Cancelled)
	case o.Exit.Code == 0:
		m.end(t, task.Done)
	case t.Cancel:
		m.end(t, task.Cancelled)
	case t.Failures < uint32(t.Spec.Retries):
		t.Failures++
		t.State = task.Retry
		t.NotBefore = now + state.RetryDelay(o.ID, t.Failures, false).Milliseconds()
	case o.Exit.Reason == task.ReasonTimeout:
		m.end(t, task.Timeout)
	default:
		m.end(t, task.Failed)
	}
	return queue.RecordReply{Verdict: queue.Recorded, State: t.State}
}

func (m *Model) end(t *ModelTask, st task.State) {
	t.State, t.NotBefore = st, 0
	t.Ends++
}

// Release predicts queue.Queue.Release.
func (m *Model) Release(r queue.Release) queue.ReleaseReply {
	t := m.Tasks[r.ID]
	if t == nil || t.State != task.Assigned || t.Last != r.Fence {
		st := task.State(0)
		if t != nil {
			st = t.State
		}
		return queue.ReleaseReply{State: st}
	}
	clean := r.Why == queue.Declined || r.Why == queue.NeverStarted
	if !clean {
		t.Crashes++
	}
	switch {
	case t.Cancel:
		t.Attempts++
		m.end(t, task.Cancelled)
	case clean:
		t.State = task.Queued
	case t.Spec.Delivery == task.AtMostOnce:
		t.Attempts++
		m.end(t, task.Lost)
	case t.Crashes >= queue.MaxCrashes:
		t.Attempts++
		m.end(t, task.Failed)
	default:
		t.Attempts++
		t.State = task.Queued
	}
	return queue.ReleaseReply{Released: true, State: t.State}
}

// Cancel predicts queue.Queue.Cancel.
func (m *Model) Cancel(id task.ID) queue.CancelReply {
	c := queue.CancelReply{ID: id}
	t := m.Tasks[id]
	if t == nil {
		c.Verdict = queue.CancelNotFound
		return c
	}
	switch {
	case t.State.Terminal():
		c.Verdict = queue.CancelTooLate
	case t.State == task.Assigned:
		t.Cancel = true
		c.Verdict, c.Node, c.Fence = queue.CancelPending, t.Node, t.Last
	default:
		m.end(t, task.Cancelled)
		c.Verdict = queue.CancelDone
	}
	c.State = t.State
	return c
}

// Purge predicts queue.Queue.Purge.
func (m *Model) Purge(ids []task.ID) int {
	n := 0
	for _, id := range ids {
		if t := m.Tasks[id]; t != nil && t.State.Terminal() {
			delete(m.Tasks, id)
			n++
		}
	}
	return n
}

// IDs are the numbers of all tasks, rising.
func (m *Model) IDs() []task.ID {
	var ids []task.ID
	for id := range m.Tasks {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// Clock is a time that stands still until it is moved. It is not safe for
// concurrent use.
type Clock struct{ T time.Time }

// NewClock begins at some day.
func NewClock() *Clock { return &Clock{time.UnixMilli(1_700_000_000_000)} }

// Now is for queue.Options.
func (c *Clock) Now() time.Time { return c.T }

// Ms is Now in Unix milliseconds.
func (c *Clock) Ms() int64 { return c.T.UnixMilli() }
