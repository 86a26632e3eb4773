package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// Why explains a task.
func (f *Fleet) Why(_ context.Context, id task.ID) (control.Why, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance()
	if err := f.known(id); err != nil {
		return control.Why{}, err
	}
	t := f.task(id)
	w := control.Why{ID: id, State: t.State}
	if t.State == task.Queued || t.State == task.Retry || t.State == task.Assigned {
		w.Waits = f.waits(&t)
		w.Would = "It starts as soon as a slot is free on one of the nodes that fit."
		if !slices.ContainsFunc(w.Waits.Nodes, func(v control.NodeVerdict) bool { return v.Fits }) {
			w.Would = "No node fits. Ask for less (e edits a copy), or add a node that has what it needs."
		}
		return w, nil
	}
	w.Told = f.told(&t)
	switch t.State {
	case task.Failed:
		w.Would = "The command itself ended with an error. Read its output (L), then rerun it (r) or edit a copy (e)."
	case task.Lost:
		w.Would = "It may have run. Look at what it should have written, then rerun it (r) if it did not."
	}
	return w, nil
}

func (f *Fleet) waits(t *task.Task) *control.Waits {
	ahead := 0
	for _, id := range f.ready[f.head:] {
		if task.ID(id) == t.ID {
			break
		}
		ahead++
	}
	w := &control.Waits{Ahead: ahead, Until: t.NotBefore}
	if f.rate > 0 {
		w.Estimate = time.Duration(float64(ahead+1)/f.rate*1000) * time.Millisecond
	}
	for _, n := range f.nodes {
		v := verdict(n, t.Spec.Need)
		if len(v.Terms) == 0 && n.used >= int(n.slots) {
			v.Now = false
			v.Terms = append(v.Terms, control.Term{Name: "slots", Want: "1 free", Have: fmt.Sprintf("%d of %d in use", n.used, n.slots), Busy: true})
		}
		w.Nodes = append(w.Nodes, v)
	}
	return w
}

func verdict(n *node, need task.Need) control.NodeVerdict {
	v := control.NodeVerdict{Node: n.name, Fits: true, Now: true}
	fail := func(name, want, have string) {
		v.Fits, v.Now = false, false
		v.Terms = append(v.Terms, control.Term{Name: name, Want: want, Have: have})
	}
	switch {
	case !n.member():
		fail("state", "member", string(n.state))
	case n.state != control.NodeUp:
		fail("state", "up", string(n.state))
	case n.slots == 0:
		fail("slots", "1", "takes no tasks")
	}
	if need.On != "" && need.On != n.name && need.On != string(n.id) {
		fail("on", need.On, n.name)
	}
	if int(need.CPUs()) > n.cores*1000 {
		fail("cpu", fmt.Sprint(float64(need.CPUs())/1000), fmt.Sprint(n.cores))
	}
	if need.MemoryMB > n.memMB {
		fail("memory", fmt.Sprintf("%d MiB", need.MemoryMB), fmt.Sprintf("%d MiB", n.memMB))
	}
	if need.GPUs > n.gpus {
		fail("gpus", fmt.Sprint(need.GPUs), fmt.Sprint(n.gpus))
	}
	for k, want := range need.Labels {
		have := map[string]string{"os": n.os, "arch": n.arch, "host": n.name, "rack": n.rack}[k]
		if have != want {
			fail("label "+k, want, have)
		}
	}
	return v
}

func (f *Fleet) told(t *task.Task) []string {
	out := []string{"It was submitted by " + string(t.By) + "."}
	for _, a := range t.Attempts {
		s := fmt.Sprintf("Attempt %d started on %s after %s.", a.Fence.Attempt, f.nodeName(a.Node), time.Duration(a.Started-t.Submitted)*time.Millisecond)
		if a.Ended > 0 {
			s += fmt.Sprintf(" It ended after %s: ", time.Duration(a.Ended-a.Started)*time.Millisecond)
			switch a.Exit.Reason {
			case task.ReasonTimeout:
				s += "its time limit was reached; SIGTERM, then SIGKILL; all its processes are gone."
			case task.ReasonCancelled:
				s += "cancelled by " + f.why[t.ID] + "; all its processes are gone."
			default:
				s += fmt.Sprintf("exit code %d.", a.Exit.Code)
			}
		}
		out = append(out, s)
	}
	return out
}
