package sched

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

func worker(name string, cpus, slots int) Worker {
	c := task.Capacity{
		CPU: task.Milli(cpus * 1000), MemoryMB: 1024, DiskMB: 1000, Slots: int32(slots),
		Labels: map[string]string{"os": "linux", "host": name}, Sandboxes: []string{"basic", "strict"}, Default: "basic",
	}
	return Worker{ID: task.NodeID("id-" + name), Name: name, Cap: c, Free: RoomOf(c)}
}

func class(key int, count int, change func(*Class)) Class {
	c := Class{Key: uint64(key), Priority: task.PriorityNormal, Count: count, Oldest: task.ID(key)}
	if change != nil {
		change(&c)
	}
	return c
}

func shape(cpus int) Shape { return Shape{CPU: task.Milli(cpus * 1000)} }

// say renders a plan as "class×n@worker", "+" for backlog, "!" for holds.
func say(r Result, cs []Class, ws []Worker) string {
	var b []string
	for _, a := range r.Assignments {
		plus := ""
		if a.Backlog {
			plus = "+"
		}
		b = append(b, fmt.Sprintf("%d×%d@%s%s", cs[a.Class].Key, a.N, ws[a.Worker].Name, plus))
	}
	for _, h := range r.Holds {
		b = append(b, fmt.Sprintf("!%d@%s", cs[h.Class].Key, ws[h.Worker].Name))
	}
	return strings.Join(b, " ")
}

func full(w Worker, cpus int) Worker {
	w.Free = Room{MemoryMB: 1024, DiskMB: 1000}
	w.Runs = shape(cpus)
	return w
}

func TestPlan(t *testing.T) {
	needs := func(n task.Need) func(*Class) { return func(c *Class) { c.Need = n } }
	waits := func(d time.Duration, n task.Need) func(*Class) {
		return func(c *Class) { c.Need, c.Waiting = n, d }
	}
	backlogged := func(w Worker, have, most int) Worker {
		w.Backlog, w.BacklogMax = have, most
		return w
	}
	for _, tt := range []struct {
		name    string
		classes []Class
		workers []Worker
		want    string
	}{
		{"nothing to do", nil, []Worker{worker("a", 2, 2)}, ""},
		{"nobody there", []Class{class(1, 3, nil)}, nil, ""},
		{"least loaded first, then by name", []Class{class(1, 3, nil)}, []Worker{worker("b", 2, 2), worker("a", 2, 2)}, "1×2@a 1×1@b"},
		{"measured load breaks the tie", []Class{class(1, 1, nil)}, []Worker{
			func() Worker { w := worker("a", 2, 2); w.Load.CPUPercent = 90; return w }(), worker("b", 2, 2),
		}, "1×1@b"},
		{"slots are a limit of their own", []Class{class(1, 5, nil)}, []Worker{worker("a", 8, 2)}, "1×2@a"},
		{"cpus are a limit of their own", []Class{class(1, 5, nil)}, []Worker{worker("a", 2, 8)}, "1×2@a"},
		{"memory is a limit", []Class{class(1, 5, needs(task.Need{MemoryMB: 400}))}, []Worker{worker("a", 8, 8)}, "1×2@a"},
		{"disk is a limit", []Class{class(1, 5, needs(task.Need{DiskMB: 400}))}, []Worker{worker("a", 8, 8)}, "1×2@a"},
		{"no gpu, no task", []Class{class(1, 5, needs(task.Need{GPUs: 1}))}, []Worker{worker("a", 8, 8)}, ""},
		{"what is not asked for may be short", []Class{class(1, 1, nil)}, []Worker{
			func() Worker { w := worker("a", 4, 4); w.Free.GPUs, w.Free.MemoryMB, w.Mixed = -1, -5, true; return w }(),
		}, "1×1@a"},
		{"half a cpu twice", []Class{class(1, 9, needs(task.Need{CPU: 500}))}, []Worker{worker("a", 1, 9)}, "1×2@a"},
		{"labels", []Class{class(1, 1, needs(task.Need{Labels: map[string]string{"host": "b"}}))}, []Worker{worker("a", 2, 2), worker("b", 2, 2)}, "1×1@b"},
		{"on by name", []Class{class(1, 9, needs(task.Need{On: "b"}))}, []Worker{worker("a", 2, 2), worker("b", 2, 2)}, "1×2@b"},
		{"on by id", []Class{class(1, 1, needs(task.Need{On: "id-b"}))}, []Worker{worker("a", 2, 2), worker("b", 2, 2)}, "1×1@b"},
		{"on somebody unknown", []Class{class(1, 1, needs(task.Need{On: "x"}))}, []Worker{worker("a", 2, 2)}, ""},
		{"level offered", []Class{class(1, 1, needs(task.Need{Sandbox: "strict"}))}, []Worker{worker("a", 2, 2)}, "1×1@a"},
		{"weaker level is raised to the floor", []Class{class(1, 1, needs(task.Need{Sandbox: "none"}))}, []Worker{worker("a", 2, 2)}, "1×1@a"},
		{"level not offered", []Class{class(1, 1, needs(task.Need{Sandbox: "very-strict"}))}, []Worker{worker("a", 2, 2)}, ""},
		{"level unknown", []Class{class(1, 1, needs(task.Need{Sandbox: "strct"}))}, []Worker{worker("a", 2, 2)}, ""},
		{"draining", []Class{class(1, 1, nil)}, []Worker{func() Worker { w := worker("a", 2, 2); w.State = Draining; return w }()}, ""},
		{"stale", []Class{class(1, 1, needs(task.Need{On: "a"}))}, []Worker{func() Worker { w := worker("a", 2, 2); w.State = Stale; return w }()}, ""},
		{"priority first, whatever the order given", []Class{
			class(1, 1, nil), class(2, 1, func(c *Class) { c.Priority = 75 }),
		}, []Worker{worker("a", 1, 1)}, "2×1@a"},
		{"older first", []Class{class(9, 1, nil), class(2, 1, needs(task.Need{MemoryMB: 1}))}, []Worker{worker("a", 1, 1)}, "2×1@a"},
		{"a big one does not stop a small one", []Class{class(1, 1, needs(task.Need{CPU: 4000})), class(2, 1, nil)}, []Worker{
			func() Worker { w := worker("a", 4, 4); w.Free.CPU = 2000; w.Runs = shape(1); return w }(),
		}, "2×1@a"},
		{"until it was passed over too long", []Class{class(1, 1, waits(HoldAfter, task.Need{CPU: 4000})), class(2, 1, nil)}, []Worker{
			func() Worker { w := worker("a", 4, 4); w.Free.CPU = 2000; w.Runs = shape(1); return w }(),
		}, "!1@a"},
		{"a held worker still serves who goes before", []Class{
			class(1, 1, waits(time.Hour, task.Need{CPU: 4000})), class(2, 1, func(c *Class) { c.Priority = 100 }),
		}, []Worker{
			func() Worker { w := worker("a", 4, 4); w.Free.CPU = 2000; w.Runs = shape(1); return w }(),
		}, "2×1@a !1@a"},
		{"the one that lacks least is held, the others work", []Class{class(1, 1, waits(time.Hour, task.Need{CPU: 4000})), class(2, 9, nil)}, []Worker{
			func() Worker { w := worker("a", 4, 4); w.Free.CPU = 1000; return w }(),
			func() Worker { w := worker("b", 4, 4); w.Free.CPU = 3000; return w }(),
		}, "2×1@a !1@b"},
		{"nobody is held for what can never run", []Class{class(1, 1, waits(time.Hour, task.Need{CPU: 64000})), class(2, 1, nil)}, []Worker{worker("a", 4, 4)}, "2×1@a"},
		{"no more than a quarter is held", []Class{
			class(1, 1, waits(time.Hour, task.Need{CPU: 2000})), class(2, 1, waits(time.Hour, task.Need{CPU: 2000, MemoryMB: 1})), class(3, 9, nil),
		}, []Worker{
			func() Worker { w := worker("a", 2, 2); w.Free.CPU = 1000; return w }(),
			func() Worker { w := worker("b", 2, 2); w.Free.CPU = 1000; return w }(),
		}, "3×1@b !1@a"},
		{"backlog after every slot, evenly", []Class{class(1, 9, nil)}, []Worker{
			backlogged(worker("a", 1, 1), 0, 2), backlogged(worker("b", 1, 1), 0, 2),
		}, "1×1@a 1×1@b 1×2@a+ 1×2@b+"},
		{"what is backlog already counts", []Class{class(1, 9, nil)}, []Worker{backlogged(full(worker("a", 1, 1), 1), 1, 2)}, "1×1@a+"},
		{"no backlog of another shape, nor behind it", []Class{class(1, 9, needs(task.Need{MemoryMB: 1})), class(2, 9, nil)}, []Worker{backlogged(full(worker("a", 1, 1), 1), 0, 2)}, ""},
		{"no backlog for at-most-once, nor overtaking it", []Class{
			class(1, 1, func(c *Class) { c.Delivery = task.AtMostOnce }), class(2, 9, nil),
		}, []Worker{backlogged(full(worker("a", 1, 1), 1), 0, 2)}, ""},
		{"backlog may pass what could never run there", []Class{class(1, 1, needs(task.Need{CPU: 9000})), class(2, 9, nil)}, []Worker{
			backlogged(full(worker("a", 1, 1), 1), 0, 2),
		}, "2×2@a+"},
		{"no backlog where shapes are mixed", []Class{class(1, 9, nil)}, []Worker{
			func() Worker { w := backlogged(full(worker("a", 1, 1), 1), 0, 2); w.Mixed = true; return w }(),
		}, ""},
		{"this plan mixes the shapes", []Class{class(1, 1, needs(task.Need{MemoryMB: 1})), class(2, 9, nil)}, []Worker{backlogged(worker("a", 2, 2), 0, 2)}, "1×1@a 2×1@a"},
		{"no backlog on a held worker", []Class{class(1, 1, waits(time.Hour, task.Need{CPU: 2000})), class(2, 9, nil)}, []Worker{backlogged(full(worker("a", 2, 2), 1), 0, 2)}, "!1@a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := say(Plan(tt.classes, tt.workers), tt.classes, tt.workers); got != tt.want {
				t.Errorf("plan is %q, want %q", got, tt.want)
			}
		})
	}
}

// A stream of small tasks never ends; the large one starts all the same.
func TestLargeTaskDoesNotStarve(t *testing.T) {
	ws := []Worker{worker("a", 4, 4), worker("b", 4, 4)}
	ends := map[int][]int{} // step → worker indices where a small task ends
	var big time.Duration
	step := 0
	for i := range ws { // full, one ends each step
		for k := range 4 {
			ws[i].Free.take(shape(1))
			ends[k*2+i] = append(ends[k*2+i], i)
		}
	}
	for ; step < 200; step++ {
		for _, i := range ends[step] {
			ws[i].Free.CPU += 1000
			ws[i].Free.Slots++
		}
		cs := []Class{
			{Key: 1, Need: task.Need{CPU: 4000}, Count: 1, Oldest: 1, Waiting: big},
			{Key: 2, Count: 1000, Oldest: 2},
		}
		for _, a := range Plan(cs, ws).Assignments {
			if a.Class == 0 {
				t.Logf("started at step %d", step)
				return
			}
			for range a.N {
				ws[a.Worker].Free.take(shape(1))
				at := step + 7 + a.Worker
				ends[at] = append(ends[at], a.Worker)
			}
		}
		big += time.Second
	}
	t.Fatal("the large task never started")
}

func TestPlanLeavesItsInputAlone(t *testing.T) {
	cs := []Class{class(2, 5, nil), class(1, 5, nil)}
	ws := []Worker{worker("b", 2, 2), worker("a", 2, 2)}
	cs0, ws0 := append([]Class(nil), cs...), append([]Worker(nil), ws...)
	Plan(cs, ws)
	if !reflect.DeepEqual(cs, cs0) || !reflect.DeepEqual(ws, ws0) {
		t.Error("the plan changed what it was given")
	}
}

func TestLedger(t *testing.T) {
	w := worker("a", 2, 8)
	var l Ledger
	one, big := task.Need{}, task.Need{CPU: 2000, MemoryMB: 10}
	for range 5 {
		l.Add(one)
	}
	l.Fill(&w)
	if w.Free.CPU != 0 || w.Free.Slots != 6 || w.Backlog != 3 || w.Mixed || w.Runs != shape(1) || l.Tasks() != 5 {
		t.Errorf("five of one shape on two CPUs: %+v", w)
	}
	l.Add(big)
	l.Fill(&w)
	if w.Free.CPU != -5000 || w.Backlog != 0 || !w.Mixed {
		t.Errorf("two shapes: %+v", w)
	}
	l.Remove(big)
	l.Remove(big)
	for range 5 {
		l.Remove(one)
	}
	l.Fill(&w)
	if w.Free != RoomOf(w.Cap) || w.Runs != (Shape{}) || w.Mixed || l.Tasks() != 0 {
		t.Errorf("empty again: %+v", w)
	}
	l.Add(task.Need{CPU: 1 << 30})
	for range 9 {
		l.Add(task.Need{CPU: 1<<31 - 1})
	}
	if l.Fill(&w); w.Free.CPU > 0 {
		t.Errorf("huge needs wrapped around: %+v", w.Free)
	}
}
