package sched

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/adauldev/octaskly/queue/task"
)

// Term is one requirement that a worker does not meet.
type Term struct {
	Name string // cpu, memory, disk, gpus, label NAME, sandbox, memory limit and the like, on, slots, state, held
	Want string // what the task asks
	Have string // what the worker has, or has left
	Busy bool   // it would be met if the worker were idle
}

// Fit lists every requirement of need that w does not meet now; none means that
// the task could start there. A worker whose missing terms are all Busy can run
// the task once something ends.
func Fit(need task.Need, w *Worker) []Term {
	var terms []Term
	if w.State != Up {
		terms = append(terms, Term{Name: "state", Want: "up", Have: w.State.String()})
	}
	terms = append(terms, fitWords(need, w)...)
	s := ShapeOf(need)
	terms = amount(terms, "slots", 1, int64(w.Free.Slots), int64(w.Cap.Slots), plain)
	terms = amount(terms, "cpu", int64(s.CPU), int64(w.Free.CPU), int64(w.Cap.CPU), milli)
	terms = amount(terms, "memory", s.MemoryMB, w.Free.MemoryMB, w.Cap.MemoryMB, mib)
	terms = amount(terms, "disk", s.DiskMB, w.Free.DiskMB, w.Cap.DiskMB, mib)
	return amount(terms, "gpus", int64(s.GPUs), int64(w.Free.GPUs), int64(w.Cap.GPUs), plain)
}

// fitWords lists the requirements that do not depend on what runs.
func fitWords(need task.Need, w *Worker) []Term {
	var terms []Term
	if !isNode(need.On, w) {
		terms = append(terms, Term{Name: "on", Want: need.On, Have: w.Name})
	}
	for _, k := range missingLabels(need, w) {
		have, ok := w.Cap.Labels[k]
		if !ok {
			have = "not set"
		}
		terms = append(terms, Term{Name: "label " + k, Want: need.Labels[k], Have: have})
	}
	for _, l := range need.Limited() {
		if !w.Cap.Keeps(l.Name) {
			terms = append(terms, Term{Name: l.Name + " limit", Want: l.Value, Have: "nothing that enforces it"})
		}
	}
	if !offersLevel(need.Sandbox, &w.Cap) {
		have := "none of the levels"
		if len(w.Cap.Sandboxes) > 0 {
			have = strings.Join(w.Cap.Sandboxes, ", ")
		}
		terms = append(terms, Term{Name: "sandbox", Want: effectiveLevel(need.Sandbox, &w.Cap), Have: have})
	}
	return terms
}

func amount(terms []Term, name string, want, free, all int64, show func(int64) string) []Term {
	if enough(want, free) {
		return terms
	}
	t := Term{Name: name, Want: show(want), Have: show(all), Busy: want <= all}
	if t.Busy {
		t.Have = fmt.Sprintf("%s free of %s", show(max(free, 0)), show(all))
	}
	return append(terms, t)
}

func plain(n int64) string { return strconv.FormatInt(n, 10) }
func milli(n int64) string { return strconv.FormatFloat(float64(n)/1000, 'f', -1, 64) }
func mib(n int64) string   { return strconv.FormatInt(n, 10) + " MiB" }

func isNode(on string, w *Worker) bool {
	return on == "" || on == w.Name || on == string(w.ID)
}

func missingLabels(need task.Need, w *Worker) []string {
	var keys []string
	for k, v := range need.Labels {
		if have, ok := w.Cap.Labels[k]; !ok || have != v {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	return keys
}

// effectiveLevel is the stricter one of what is asked and the worker's own
// level, which is its floor.
func effectiveLevel(asked string, c *task.Capacity) string {
	if asked == "" || slices.Index(task.SandboxLevels, asked) < slices.Index(task.SandboxLevels, c.Default) && slices.Contains(task.SandboxLevels, asked) {
		return c.Default
	}
	return asked
}

func offersLevel(asked string, c *task.Capacity) bool {
	l := effectiveLevel(asked, c)
	return l == "" || slices.Contains(c.Sandboxes, l)
}

// suits reports whether everything that does not depend on what runs is met.
// It is fitWords without the words.
func suits(need *task.Need, w *Worker) bool {
	if !isNode(need.On, w) || !offersLevel(need.Sandbox, &w.Cap) {
		return false
	}
	for k, v := range need.Labels {
		if have, ok := w.Cap.Labels[k]; !ok || have != v {
			return false
		}
	}
	return need.Unlimited() || len(w.Cap.Limits) == 0 || keepsAll(need, &w.Cap)
}

func keepsAll(need *task.Need, c *task.Capacity) bool {
	for _, l := range need.Limited() {
		if !c.Keeps(l.Name) {
			return false
		}
	}
	return true
}

// couldRun reports whether w could run the task if it were idle.
func couldRun(need *task.Need, s Shape, w *Worker) bool {
	return w.State == Up && s.within(RoomOf(w.Cap)) && suits(need, w)
}
