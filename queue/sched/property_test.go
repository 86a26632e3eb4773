package sched

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/adauldev/octaskly/queue/task"
)

func drawNeed(t *rapid.T) task.Need {
	n := task.Need{
		CPU:      task.Milli(rapid.SampledFrom([]int{0, 500, 1000, 2000, 6000}).Draw(t, "cpu")),
		MemoryMB: int64(rapid.SampledFrom([]int{0, 0, 100, 700}).Draw(t, "mem")),
		GPUs:     int32(rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, "gpu")),
		Sandbox:  rapid.SampledFrom([]string{"", "", "none", "strict", "very-strict"}).Draw(t, "level"),
		On:       rapid.SampledFrom([]string{"", "", "", "w1", "id-w2", "gone"}).Draw(t, "on"),
	}
	if rapid.IntRange(0, 4).Draw(t, "labelled") == 0 {
		n.Labels = map[string]string{"zone": rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "zone")}
	}
	return n
}

func drawClasses(t *rapid.T) []Class {
	n := rapid.IntRange(0, 8).Draw(t, "classes")
	cs := make([]Class, n)
	for i := range cs {
		cs[i] = Class{
			Key: uint64(i), Need: drawNeed(t), Count: rapid.IntRange(0, 6).Draw(t, "count"),
			Priority: uint8(rapid.SampledFrom([]int{0, 50, 75}).Draw(t, "prio")),
			Delivery: task.Delivery(rapid.IntRange(0, 1).Draw(t, "delivery")),
			Oldest:   task.ID(rapid.IntRange(1, 100).Draw(t, "oldest")),
			Waiting:  time.Duration(rapid.IntRange(0, 7).Draw(t, "waiting")) * time.Second,
		}
	}
	return cs
}

func drawWorkers(t *rapid.T) []Worker {
	n := rapid.IntRange(0, 6).Draw(t, "workers")
	ws := make([]Worker, n)
	for i := range ws {
		w := worker(fmt.Sprintf("w%d", i), rapid.IntRange(0, 8).Draw(t, "cpus"), rapid.IntRange(0, 6).Draw(t, "slots"))
		w.Cap.GPUs = int32(rapid.IntRange(0, 2).Draw(t, "gpus"))
		w.Cap.Labels["zone"] = rapid.SampledFrom([]string{"a", "b"}).Draw(t, "zone")
		w.State = rapid.SampledFrom([]State{Up, Up, Up, Draining, Stale}).Draw(t, "state")
		w.BacklogMax = rapid.IntRange(0, 3).Draw(t, "backlog")
		var l Ledger
		need := drawNeed(t)
		for range rapid.IntRange(0, 3).Draw(t, "running") {
			if rapid.IntRange(0, 3).Draw(t, "another shape") == 0 {
				need = drawNeed(t)
			}
			if ShapeOf(need).fitsTimes(RoomOf(w.Cap)) > 0 {
				l.Add(need)
			}
		}
		l.Fill(&w)
		ws[i] = w
	}
	return ws
}

func TestPlanProperties(t *testing.T) {
	var reused Planner
	rapid.Check(t, func(t *rapid.T) {
		cs, ws := drawClasses(t), drawWorkers(t)
		r := Plan(cs, ws)
		if again := reused.Plan(cs, ws); !samePlan(r, again) {
			t.Fatalf("the same input gave two plans:\n%+v\n%+v", r, again)
		}
		left, after := apply(t, cs, ws, r)
		checkConserving(t, cs, after, left, r)
		checkPriority(t, cs, ws, r, left)
	})
}

func samePlan(a, b Result) bool {
	return len(a.Assignments) == len(b.Assignments) && len(a.Holds) == len(b.Holds) &&
		(len(a.Assignments) == 0 || reflect.DeepEqual(a.Assignments, b.Assignments)) &&
		(len(a.Holds) == 0 || reflect.DeepEqual(a.Holds, b.Holds))
}

// apply carries a plan out and fails when it breaks a limit or gives a task
// where it does not fit.
func apply(t *rapid.T, cs []Class, ws []Worker, r Result) (left []int, after []Worker) {
	after = append([]Worker(nil), ws...)
	for _, c := range cs {
		left = append(left, c.Count)
	}
	for _, a := range r.Assignments {
		c, w := &cs[a.Class], &after[a.Worker]
		left[a.Class] -= a.N
		if a.N <= 0 || left[a.Class] < 0 {
			t.Fatalf("%+v is empty or more than there is", a)
		}
		for range a.N {
			if !a.Backlog {
				if ts := Fit(c.Need, w); len(ts) > 0 {
					t.Fatalf("%+v does not fit: %+v", a, ts)
				}
				w.Free.take(ShapeOf(c.Need))
				continue
			}
			if w.Backlog++; w.Backlog > w.BacklogMax || c.Delivery == task.AtMostOnce || c.Need.GPUs > 0 || !couldRun(&c.Need, ShapeOf(c.Need), w) {
				t.Fatalf("%+v is no backlog for %+v", a, w)
			}
		}
	}
	return left, after
}

// checkConserving: nothing is left that fits a worker, unless that is held.
func checkConserving(t *rapid.T, cs []Class, after []Worker, left []int, r Result) {
	held := map[int]bool{}
	for _, h := range r.Holds {
		held[h.Worker] = true
		if cs[h.Class].Waiting < HoldAfter {
			t.Fatalf("%+v: held for a class that was not passed over", h)
		}
	}
	if len(held) > max(1, len(after)/4) {
		t.Fatalf("%d of %d workers held", len(held), len(after))
	}
	for i, c := range cs {
		for k := range after {
			if left[i] > 0 && !held[k] && len(Fit(c.Need, &after[k])) == 0 {
				t.Fatalf("%d tasks of %+v wait while %+v is free", left[i], c, after[k])
			}
		}
	}
}

// checkPriority: what is left could not have been placed before anything behind
// it was, and nothing queues up as backlog in front of it.
func checkPriority(t *rapid.T, cs []Class, ws []Worker, r Result, left []int) {
	now := append([]Worker(nil), ws...)
	for _, a := range r.Assignments {
		if a.Backlog {
			for i := range cs {
				if left[i] > 0 && i != a.Class && turn(&cs[i], &cs[a.Class]) < 0 && couldRun(&cs[i].Need, ShapeOf(cs[i].Need), &ws[a.Worker]) {
					t.Fatalf("%+v queues up in front of %+v", a, cs[i])
				}
			}
			continue
		}
		for i := range cs {
			if left[i] > 0 && turn(&cs[i], &cs[a.Class]) < 0 && len(Fit(cs[i].Need, &now[a.Worker])) == 0 && !isHeld(r, a.Worker) {
				t.Fatalf("%+v before %+v, which fits there and waits", a, cs[i])
			}
		}
		for range a.N {
			now[a.Worker].Free.take(ShapeOf(cs[a.Class].Need))
		}
	}
}

func isHeld(r Result, w int) bool {
	for _, h := range r.Holds {
		if h.Worker == w {
			return true
		}
	}
	return false
}

func TestExplainAgreesWithPlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ws := drawWorkers(t)
		c := Class{Need: drawNeed(t), Count: 1}
		placed := len((&Planner{HoldAfter: -1}).Plan([]Class{c}, onlyReal(ws)).Assignments) > 0
		vs := Explain(c.Need, ws)
		if now := len(vs) > 0 && vs[0].Now; now != placed {
			t.Fatalf("planned %v, explained %v: %+v", placed, now, vs)
		}
		if (Would(c.Need, vs) == "") != placed {
			t.Fatalf("says %q, planned %v", Would(c.Need, vs), placed)
		}
	})
}

func onlyReal(ws []Worker) []Worker {
	ws = append([]Worker(nil), ws...)
	for i := range ws {
		ws[i].BacklogMax = 0
	}
	return ws
}
