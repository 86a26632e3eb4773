package dispatch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/seal"
	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/sched"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Face is the dispatcher as one caller sees it: what control.Control asks
// about tasks and events, on behalf of a principal.
type Face struct {
	*Dispatcher
	By task.Principal
}

func (f Face) Submit(ctx context.Context, r control.SubmitRequest) (control.SubmitReply, error) {
	reply := control.SubmitReply{Results: make([]control.Submitted, len(r.Tasks))}
	good := make([]task.NewTask, 0, len(r.Tasks))
	place := make([]int, 0, len(r.Tasks))
	for i := range r.Tasks {
		t := &r.Tasks[i]
		if err := f.admit(t, r.FailFast); err != nil {
			reply.Results[i] = refused(err)
			continue
		}
		good = append(good, *t)
		place = append(place, i)
	}
	if len(good) == 0 {
		return reply, nil
	}
	q, err := f.queue.Submit(f.By, good).Wait(ctx)
	if err != nil {
		return reply, err
	}
	accepted, priority := 0, uint8(0)
	for k, v := range q.Tasks {
		s := control.Submitted{ID: v.ID, Duplicate: v.Verdict == queue.Duplicate}
		if err := q.Err(k); err != nil {
			s = refused(err)
		} else if !s.Duplicate {
			accepted++
			priority = max(priority, good[k].Spec.Priority)
		}
		reply.Results[place[k]] = s
	}
	if accepted > 0 {
		reply.Ahead = ahead(f.queue.Classes(), priority, accepted)
	}
	return reply, nil
}

// ahead counts the ready tasks that go before tasks that were just accepted
// with at most this priority: they have the highest numbers, so that is all
// others of this priority and above. It does not look at single tasks, for
// there may be a million.
func ahead(classes []queue.Class, priority uint8, accepted int) int {
	n := 0
	for _, c := range classes {
		if c.Priority >= priority {
			n += c.Count
		}
	}
	return max(0, n-accepted)
}

func refused(err error) control.Submitted {
	return control.Submitted{Kind: task.KindOf(err), Message: err.Error(), Hint: task.HintOf(err)}
}

// admit checks one task at the door.
func (d *Dispatcher) admit(t *control.NewTask, failFast bool) error {
	if err := t.Check(); err != nil {
		return err
	}
	if err := d.checkSecrets(&t.Spec); err != nil {
		return err
	}
	if !failFast {
		return nil
	}
	d.mu.Lock()
	d.viewsLocked(time.Now())
	vs := sched.Explain(t.Spec.Need, d.views)
	d.mu.Unlock()
	if slices.ContainsFunc(vs, func(v sched.Verdict) bool { return v.Fits }) {
		return nil
	}
	return task.Errorf(task.KindUnavailable, "no node could run this").WithHint("%s", sched.Would(t.Spec.Need, vs))
}

// checkSecrets refuses secrets that no worker could be given.
func (d *Dispatcher) checkSecrets(s *task.Spec) error {
	for name, sealed := range s.Secrets {
		if d.opt.Seal == nil {
			return task.Errorf(task.KindUnavailable, "this dispatcher takes no secrets")
		}
		plain, err := d.opt.Seal.Open(seal.ForSubmit(s, name), sealed)
		if err != nil {
			return task.Errorf(task.KindUsage, "the secret %s cannot be opened: %w", name, err)
		}
		clear(plain)
	}
	return nil
}

func (d *Dispatcher) Get(_ context.Context, id task.ID) (task.Task, error) {
	t, err := d.queue.Get(id)
	if err == nil {
		d.addLive(&t)
		t.HideSecrets()
	}
	return t, err
}

func (d *Dispatcher) List(ctx context.Context, q control.Query) (control.Page, error) {
	f, err := d.resolve(q)
	if err != nil {
		return control.Page{}, err
	}
	p, err := d.queue.List(ctx, f)
	for i := range p.Tasks {
		d.addLive(&p.Tasks[i])
		p.Tasks[i].HideSecrets()
	}
	return p, err
}

// resolve gives a query the ids of the nodes that it names.
func (d *Dispatcher) resolve(q task.Query) (task.Query, error) {
	ids := make([]string, 0, len(q.Nodes))
	for _, n := range q.Nodes {
		id, err := d.nodeID(n)
		if err != nil {
			return q, err
		}
		ids = append(ids, string(id))
	}
	q.Nodes = ids
	return q, nil
}

// nodeID finds a node by its id, the beginning of it, or its name.
func (d *Dispatcher) nodeID(n string) (task.NodeID, error) {
	var found []task.NodeID
	for id, name := range d.names() {
		if name == n || string(id) == n {
			return id, nil
		}
		if len(n) >= 6 && strings.HasPrefix(string(id), n) {
			found = append(found, id)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return "", task.Errorf(task.KindNotFound, "no node is called %s", n).WithHint("list them with: octaskly nodes")
}

func (d *Dispatcher) names() map[task.NodeID]string {
	names := make(map[task.NodeID]string)
	d.mu.Lock()
	for id, w := range d.workers {
		names[id] = w.name
	}
	d.mu.Unlock()
	for _, m := range d.queue.Members() {
		names[m.ID] = m.Name
	}
	return names
}

func (f Face) Cancel(ctx context.Context, r control.CancelRequest) ([]control.CancelReply, error) {
	ids := r.IDs
	if r.Filter != nil {
		var err error
		if ids, err = f.matching(ctx, *r.Filter); err != nil {
			return nil, err
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	qs, err := f.queue.Cancel(f.By, ids).Wait(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]control.CancelReply, len(qs))
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, c := range qs {
		out[i] = control.CancelReply{ID: c.ID, State: c.State}
		switch c.Verdict {
		case queue.CancelPending:
			f.stopLocked(c, r.Grace)
		case queue.CancelTooLate:
			out[i].Kind = task.KindConflict
		case queue.CancelNotFound:
			out[i].Kind = task.KindNotFound
		}
		f.notifyLocked(c.ID)
	}
	return out, nil
}

// stopLocked tells the worker that holds a task to end it.
func (d *Dispatcher) stopLocked(c queue.CancelReply, grace time.Duration) {
	w := d.workers[c.Node]
	if w == nil {
		return
	}
	if l, ok := w.leases[c.ID]; ok && l.Fence == c.Fence {
		l.cancelling = true
		w.leases[c.ID] = l
	}
	if w.out != nil {
		ms := grace.Milliseconds()
		if grace < 0 {
			ms = -1
		}
		w.out.stop([]wire.StopItem{{Lease: wire.Lease{ID: c.ID, Fence: c.Fence}, GraceMs: ms}})
	}
}

// matching lists the unfinished tasks that a query selects, at most its limit.
func (d *Dispatcher) matching(ctx context.Context, q control.Query) ([]task.ID, error) {
	f, err := d.resolve(q)
	if err != nil {
		return nil, err
	}
	if len(f.States) == 0 {
		f.States = []task.State{task.Queued, task.Assigned, task.Running, task.Retry}
	}
	most := f.Limit
	var ids []task.ID
	for {
		if f.Limit = task.MaxPage; most > 0 {
			f.Limit = min(task.MaxPage, most-len(ids))
		}
		p, err := d.queue.List(ctx, f)
		if err != nil {
			return nil, err
		}
		for i := range p.Tasks {
			ids = append(ids, p.Tasks[i].ID)
		}
		if f.After = p.Onward(); f.After == 0 || most > 0 && len(ids) >= most {
			return ids, nil
		}
	}
}

func (d *Dispatcher) Why(_ context.Context, id task.ID) (control.Why, error) {
	t, err := d.queue.Get(id)
	if err != nil {
		return control.Why{}, err
	}
	y := control.Why{ID: id, State: t.State}
	if t.State != task.Queued && t.State != task.Retry {
		y.Told, y.Would = told(&t, d.names())
		return y, nil
	}
	d.mu.Lock()
	d.viewsLocked(time.Now())
	vs := sched.Explain(t.Spec.Need, d.views)
	d.mu.Unlock()
	w := &control.Waits{Ahead: d.queue.Position(id), Until: t.NotBefore}
	for _, v := range vs {
		nv := control.NodeVerdict{Node: v.Worker, Fits: v.Fits, Now: v.Now}
		for _, m := range v.Terms {
			nv.Terms = append(nv.Terms, control.Term(m))
		}
		w.Nodes = append(w.Nodes, nv)
	}
	y.Waits, y.Would = w, sched.Would(t.Spec.Need, vs)
	if err := d.queue.MayStart(); err != nil {
		y.Would = err.Error()
	}
	if t.State == task.Retry {
		y.Told = history(&t, d.names())
	}
	return y, nil
}

// told says what happened to a task that does not wait.
func told(t *task.Task, names map[task.NodeID]string) (sentences []string, next string) {
	sentences = history(t, names)
	last := t.Last()
	switch {
	case t.State.Holds() && t.Cancelling:
		return append(sentences, "it is being cancelled"), ""
	case t.State.Holds():
		return append(sentences, fmt.Sprintf("it is %s on %s, attempt %d", t.State, nodeName(last.Node, names), last.Fence.Attempt)), ""
	case t.State == task.Done:
		return append(sentences, "it is done"), ""
	case t.State == task.Lost && last != nil && last.Started != 0:
		return append(sentences, "it started, and may not run twice; how it ended is not known"),
			fmt.Sprintf("look whether it had its effect; to run it again: octaskly retry %d", t.ID)
	case t.State == task.Lost:
		return append(sentences, "it may or may not have run, and may not run twice"),
			fmt.Sprintf("look whether it had its effect; to run it again: octaskly retry %d", t.ID)
	case t.State == task.Cancelled && last == nil:
		return append(sentences, "it was cancelled before it started"), ""
	}
	if last == nil || last.Started == 0 {
		return sentences, fmt.Sprintf("to run it again: octaskly retry %d", t.ID)
	}
	return sentences, fmt.Sprintf("its output: octaskly logs %d; to run it again: octaskly retry %d", t.ID, t.ID)
}

// history is one sentence for each attempt that ended.
func history(t *task.Task, names map[task.NodeID]string) []string {
	var out []string
	for i := range t.Attempts {
		a := &t.Attempts[i]
		if a.Ended == 0 && a.Exit.Reason == "" {
			continue
		}
		s := fmt.Sprintf("attempt %d on %s: %s", a.Fence.Attempt, nodeName(a.Node, names), exitWords(a.Exit))
		if a.Started > 0 && a.Ended >= a.Started {
			s += fmt.Sprintf(" after %s", time.Duration(a.Ended-a.Started)*time.Millisecond)
		}
		out = append(out, s)
	}
	return out
}

func nodeName(id task.NodeID, names map[task.NodeID]string) string {
	if n := names[id]; n != "" {
		return n
	}
	return id.Short()
}

func exitWords(x task.Exit) string {
	var s string
	switch x.Reason {
	case task.ReasonExit:
		s = fmt.Sprintf("exited with %d", x.Code)
	case task.ReasonSignal:
		s = fmt.Sprintf("ended by signal %d", x.Signal)
	case task.ReasonTimeout:
		s = "stopped by its timeout"
	case task.ReasonCancelled:
		s = "cancelled"
	case task.ReasonNodeLost:
		s = "lost with its worker"
	case task.ReasonDeclined:
		s = "not started"
	default:
		s = string(x.Reason)
	}
	if x.Message != "" {
		s += " (" + x.Message + ")"
	}
	return s
}
