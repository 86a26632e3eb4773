package sched

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/adauldev/octaskly/queue/task"
)

// Verdict is what one worker says to one task.
type Verdict struct {
	Worker string // name
	ID     task.NodeID
	Fits   bool   // could run it, now or when something ends
	Now    bool   // could run it now
	Terms  []Term // each requirement that fails

	short int64 // how far it is from fitting when idle, in millionths of the need
}

// Explain asks every worker about one task. Those that could run it now come
// first, then those that could when something ends, then those that lack least.
func Explain(need task.Need, workers []Worker) []Verdict {
	vs := make([]Verdict, 0, len(workers))
	for i := range workers {
		w := &workers[i]
		v := Verdict{Worker: w.Name, ID: w.ID, Terms: Fit(need, w), short: lacks(ShapeOf(need), RoomOf(w.Cap))}
		v.Now = len(v.Terms) == 0
		v.Fits = never(v.Terms) == 0
		vs = append(vs, v)
	}
	slices.SortStableFunc(vs, func(a, b Verdict) int {
		return cmp.Or(
			cmp.Compare(never(a.Terms), never(b.Terms)), cmp.Compare(a.short, b.short),
			cmp.Compare(len(a.Terms), len(b.Terms)), cmp.Compare(a.Worker, b.Worker),
		)
	})
	return vs
}

// never counts the terms that waiting does not cure.
func never(terms []Term) int {
	n := 0
	for _, t := range terms {
		if !t.Busy {
			n++
		}
	}
	return n
}

// Would is one sentence for people: what would make the task run. It is empty
// when it could start now.
func Would(need task.Need, vs []Verdict) string {
	if len(vs) == 0 {
		return "no node offers to run tasks: start one with `octaskly worker`"
	}
	best := vs[0]
	switch {
	case best.Now:
		return ""
	case best.Fits:
		n := 0
		for _, v := range vs {
			if v.Fits {
				n++
			}
		}
		if n == 1 {
			return fmt.Sprintf("it starts when %s has room again", best.Worker)
		}
		return fmt.Sprintf("it starts when one of %d nodes has room again", n)
	}
	return cure(need, vs)
}

// cure names the one thing that stands in the way, if there is one for the best
// node, and what to do about it.
func cure(need task.Need, vs []Verdict) string {
	if need.On != "" && !slices.ContainsFunc(vs, func(v Verdict) bool { return need.On == v.Worker || need.On == string(v.ID) }) {
		return fmt.Sprintf("no node is called %s: start it, or submit without --on", need.On)
	}
	best := vs[0]
	if need.On != "" {
		i := slices.IndexFunc(vs, func(v Verdict) bool { return need.On == v.Worker || need.On == string(v.ID) })
		best = vs[i]
	}
	for _, t := range best.Terms {
		if t.Busy || t.Name == "on" {
			continue
		}
		switch t.Name {
		case "state":
			if t.Have == Draining.String() {
				return fmt.Sprintf("%s is draining: `octaskly undrain %s`", best.Worker, best.Worker)
			}
			if t.Have == DiskFull.String() {
				return fmt.Sprintf("%s has no room for output: free some space on the disk of its node directory", best.Worker)
			}
			return fmt.Sprintf("%s is %s: it would run when %s is up again", best.Worker, t.Have, best.Worker)
		case "slots":
			return fmt.Sprintf("%s takes no tasks: start it with --max-jobs above 0, or start another worker", best.Worker)
		default:
			return fmt.Sprintf("no node has %s %s; the closest is %s with %s: ask for less, or start a worker that has it", t.Name, t.Want, best.Worker, t.Have)
		}
	}
	return fmt.Sprintf("no node fits; the closest is %s", best.Worker)
}

// HeldTerm is the term of a worker that is kept free for another task.
func HeldTerm(head task.ID) Term {
	return Term{Name: "held", Want: "a free node", Have: fmt.Sprintf("kept free for task %s, which was passed over too long", head), Busy: true}
}
