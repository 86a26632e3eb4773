package demo

import (
	"container/heap"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// task makes the full view of one task.
func (f *Fleet) task(id task.ID) task.Task {
	r := &f.recs[id-1]
	t := task.Task{ID: id, Spec: f.specOf(id, r), By: task.Principal("ana@" + f.opt.Self), State: r.state, Submitted: r.submitted, Cancelling: r.kill && !r.state.Terminal()}
	if r.state.Terminal() {
		t.Finished = r.submitted + int64(max(0, r.ended))
	}
	if r.state == task.Retry {
		t.NotBefore = r.submitted + int64(r.ended) + 8000
	}
	if r.node < 0 {
		return t
	}
	for i := uint8(1); i < r.attempt; i++ {
		t.Attempts = append(t.Attempts, task.Attempt{
			Fence: task.Fence{Term: 1, Attempt: uint32(i)}, Node: f.nodes[r.node].id,
			Assigned: r.submitted, Started: r.submitted + 200, Ended: r.submitted + 900, Exit: task.Exit{Code: 1, Reason: task.ReasonExit},
		})
	}
	a := task.Attempt{
		Fence: task.Fence{Term: 1, Attempt: uint32(r.attempt)}, Node: f.nodes[r.node].id,
		Assigned: r.submitted + int64(r.started) - 40, Started: r.submitted + int64(r.started), Enforced: "landlock seccomp cgroup2",
	}
	if r.state == task.Running {
		wave := int64(id)*37 + f.at/2000*int64(13+id%11)
		a.Live = &task.Live{CPUPercent: float32(58 + wave%41), MemoryMB: 180 + int64(id%40)*9 + wave%17}
	}
	if r.ended >= 0 && r.state != task.Running {
		a.Ended = r.submitted + int64(r.ended)
		a.Exit = task.Exit{Code: int32(r.exit), Reason: task.ReasonExit}
		a.Usage = task.Usage{CPU: time.Duration(r.ended-r.started) * time.Millisecond * 9 / 10, MaxRSS: 300<<20 + int64(id%40)<<22}
		if r.state == task.Timeout {
			a.Exit.Reason = task.ReasonTimeout
		}
		if r.state == task.Cancelled {
			a.Exit.Reason, a.Exit.Signal, a.Exit.Message = task.ReasonCancelled, 15, "all its processes are gone"
		}
	}
	t.Attempts = append(t.Attempts, a)
	return t
}

func (f *Fleet) known(id task.ID) error {
	if id == 0 || int(id) > len(f.recs) {
		return task.Errorf(task.KindNotFound, "there is no task %s", id)
	}
	return nil
}

// Get is one task.
func (f *Fleet) Get(_ context.Context, id task.ID) (task.Task, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance()
	if err := f.known(id); err != nil {
		return task.Task{}, err
	}
	return f.task(id), nil
}

// listScan is how many tasks one List looks into when it must read each.
const listScan = 50_000

// deep reports that more than the number and the state of a task must be looked at.
func deep(q *control.Query) bool {
	return len(q.Nodes) > 0 || len(q.Tags) > 0 || q.Text != "" || q.Since > 0
}

// List is a page of tasks.
func (f *Fleet) List(ctx context.Context, q control.Query) (control.Page, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance()
	if q.Limit <= 0 {
		q.Limit = 50
	}
	q.Limit = min(q.Limit, 1000)
	match := f.matcher(q)
	looked := 0
	var page control.Page
	at, step, stop := len(f.recs), -1, 0
	if q.After > 0 && int(q.After) <= len(f.recs) {
		at = int(q.After) - 1
	}
	if q.Oldest {
		at, step, stop = 1, 1, len(f.recs)+1
		if q.After > 0 {
			at = int(q.After) + 1
		}
	}
	for ; at != stop && (at-stop)*step < 0; at += step {
		if looked++; looked > listScan && deep(&q) {
			page.More = true
			break
		}
		hit := match(task.ID(at))
		if hit && len(page.Tasks) == q.Limit {
			page.More = true
			break
		}
		page.Next = task.ID(at)
		if !hit {
			continue
		}
		page.Tasks = append(page.Tasks, f.task(task.ID(at)))
	}
	if !page.More {
		page.Next = 0
	}
	page.Total = f.total(q, match)
	return page, ctx.Err()
}

// total counts the matches where that is cheap.
func (f *Fleet) total(q control.Query, match func(task.ID) bool) int {
	if len(q.IDs) == 0 && !deep(&q) {
		if len(q.States) == 0 {
			return len(f.recs)
		}
		n := 0
		for _, s := range q.States {
			n += f.counts[s]
		}
		return n
	}
	if len(f.recs) > listScan {
		return -1
	}
	n := 0
	for i := range f.recs {
		if match(task.ID(i + 1)) {
			n++
		}
	}
	return n
}

func (f *Fleet) matcher(q control.Query) func(task.ID) bool {
	var states [10]bool
	for _, s := range q.States {
		states[s%10] = true
	}
	nodes := map[int16]bool{}
	for i, n := range f.nodes {
		if slices.Contains(q.Nodes, n.name) || slices.Contains(q.Nodes, string(n.id)) {
			nodes[int16(i)] = true
		}
	}
	text := strings.ToLower(q.Text)
	return func(id task.ID) bool {
		r := &f.recs[id-1]
		if len(q.States) > 0 && !states[r.state] || len(q.Nodes) > 0 && !nodes[r.node] || r.submitted < q.Since {
			return false
		}
		if len(q.IDs) > 0 && !slices.Contains(q.IDs, id) {
			return false
		}
		if len(q.Tags) == 0 && text == "" {
			return true
		}
		return f.says(id, r, q.Tags, text)
	}
}

// says reports that a task has all the tags, and the text, in lower case, in its
// name or its command.
func (f *Fleet) says(id task.ID, r *rec, tags []string, text string) bool {
	j := &jobs[r.job]
	name, has := j.name, j.tags
	own := f.own[id]
	if own != nil {
		name, has = own.Name, own.Tags
	}
	for _, t := range tags {
		if !slices.Contains(has, t) {
			return false
		}
	}
	switch {
	case text == "" || strings.Contains(strings.ToLower(name), text):
		return true
	case own != nil:
		return strings.Contains(strings.ToLower(own.Shell+strings.Join(own.Argv, " ")), text)
	}
	return strings.Contains(strings.ToLower(j.command(uint32(id))), text)
}

// Submit takes tasks; nothing will be executed.
func (f *Fleet) Submit(_ context.Context, q control.SubmitRequest) (control.SubmitReply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance()
	if !f.promoted {
		return control.SubmitReply{}, task.Errorf(task.KindNoDispatcher, "there is no dispatcher yet").WithHint("promote this node: octaskly promote")
	}
	rep := control.SubmitReply{Ahead: f.counts[task.Queued]}
	for _, nt := range q.Tasks {
		sp := nt.Spec
		if sp.Shell == "" && len(sp.Argv) == 0 {
			rep.Results = append(rep.Results, control.Submitted{Kind: task.KindUsage, Message: "the command is empty"})
			continue
		}
		id := task.ID(len(f.recs) + 1)
		f.own[id] = &sp
		f.ready = slices.Insert(f.ready, f.head, uint32(id)) // what the person watches goes first
		f.recs = append(f.recs, rec{submitted: f.at, node: -1, started: -1, ended: -1, state: task.Queued})
		f.counts[task.Queued]++
		f.taskEvent(id, 0, "submitted by ana@"+f.opt.Self)
		rep.Results = append(rep.Results, control.Submitted{ID: id})
	}
	f.fill()
	f.wake()
	return rep, nil
}

// Cancel ends tasks.
func (f *Fleet) Cancel(ctx context.Context, q control.CancelRequest) ([]control.CancelReply, error) {
	ids := q.IDs
	if q.Filter != nil {
		f.mu.Lock()
		match := f.matcher(*q.Filter)
		for i := range f.recs {
			if match(task.ID(i + 1)) {
				ids = append(ids, task.ID(i+1))
			}
		}
		f.mu.Unlock()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance()
	out := make([]control.CancelReply, 0, len(ids))
	for _, id := range ids {
		out = append(out, f.cancel(id, q.Grace))
	}
	f.fill()
	f.wake()
	return out, ctx.Err()
}

func (f *Fleet) cancel(id task.ID, grace time.Duration) control.CancelReply {
	if f.known(id) != nil {
		return control.CancelReply{ID: id, Kind: task.KindNotFound}
	}
	r := &f.recs[id-1]
	switch {
	case r.state.Terminal():
		return control.CancelReply{ID: id, State: r.state, Kind: task.KindConflict}
	case r.state == task.Running:
		r.kill = true
		f.why[id] = "ana"
		wait := int64(800)
		if grace < 0 {
			wait = 60
		}
		heap.Push(&f.ends, end{f.at + wait, uint32(id)})
		f.taskEvent(id, task.Running, "cancel by ana, SIGTERM sent")
	default:
		from := r.state
		f.set(r, task.Cancelled)
		r.ended = int32(f.at - r.submitted)
		f.why[id] = "ana"
		f.taskEvent(id, from, "cancelled by ana")
	}
	return control.CancelReply{ID: id, State: r.state}
}

func (f *Fleet) nodeName(id task.NodeID) string {
	for _, n := range f.nodes {
		if n.id == id {
			return n.name
		}
	}
	return id.Short()
}

// PutBlob reads everything and keeps nothing.
func (f *Fleet) PutBlob(_ context.Context, size int64, read func([]byte) (int, error)) (string, error) {
	buf := make([]byte, 32<<10)
	for {
		if _, err := read(buf); err != nil {
			return fmt.Sprintf("%064d:%d", 0, size), nil //nolint:nilerr // also at the end, and nothing is kept
		}
	}
}
