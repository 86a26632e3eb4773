package sched

import (
	"math"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// State is how far a worker may be given tasks.
type State uint8

// The states. Only an Up worker is given tasks.
const (
	Up       State = iota
	Draining       // takes no new tasks
	Stale          // missed heartbeats; its leases still hold
	Lost           // its leases ran out
	Away           // left in good order
	DiskFull       // has no room for the output of tasks
)

var stateWords = [...]string{Up: "up", Draining: "draining", Stale: "stale", Lost: "lost", Away: "away", DiskFull: "out of disk space"}

// String is the state's word.
func (s State) String() string {
	if int(s) < len(stateWords) {
		return stateWords[s]
	}
	return "unknown"
}

// Room is an amount of everything that tasks take from a worker.
type Room struct { //nolint:recvcheck // a value; only taking changes it in place
	CPU      task.Milli
	MemoryMB int64
	DiskMB   int64
	GPUs     int32
	Slots    int32
}

// RoomOf is what a worker offers when it is idle.
func RoomOf(c task.Capacity) Room {
	return Room{CPU: c.CPU, MemoryMB: c.MemoryMB, DiskMB: c.DiskMB, GPUs: c.GPUs, Slots: c.Slots}
}

// Minus is what is left of r after used is taken. It may be negative.
func (r Room) Minus(used Room) Room {
	return Room{
		CPU: r.CPU - used.CPU, MemoryMB: r.MemoryMB - used.MemoryMB, DiskMB: r.DiskMB - used.DiskMB,
		GPUs: r.GPUs - used.GPUs, Slots: r.Slots - used.Slots,
	}
}

// Shape is what one task takes from a worker, without its slot. Tasks of one
// shape can replace each other. It may be used as a map key.
type Shape struct {
	CPU      task.Milli
	MemoryMB int64
	DiskMB   int64
	GPUs     int32
}

// ShapeOf is the shape of a need. What a hostile need might say below zero
// counts as zero.
func ShapeOf(n task.Need) Shape {
	return Shape{CPU: n.CPUs(), MemoryMB: max(n.MemoryMB, 0), DiskMB: max(n.DiskMB, 0), GPUs: max(n.GPUs, 0)}
}

func (s Shape) within(r Room) bool {
	return r.Slots >= 1 && s.CPU <= r.CPU && enough(s.MemoryMB, r.MemoryMB) && enough(s.DiskMB, r.DiskMB) && enough(int64(s.GPUs), int64(r.GPUs))
}

// enough reports whether have is at least want; nothing wanted is always there,
// also on a worker whose capacity shrank below what it runs.
func enough(want, have int64) bool { return want == 0 || want <= have }

func (s Shape) covers(o Shape) bool {
	return s.CPU >= o.CPU && s.MemoryMB >= o.MemoryMB && s.DiskMB >= o.DiskMB && s.GPUs >= o.GPUs
}

func (r *Room) take(s Shape) {
	r.CPU -= s.CPU
	r.MemoryMB -= s.MemoryMB
	r.DiskMB -= s.DiskMB
	r.GPUs -= s.GPUs
	r.Slots--
}

// Worker is a worker as the plan sees it. The caller owns it; a plan never
// writes to it.
type Worker struct {
	ID    task.NodeID
	Name  string
	State State
	Cap   task.Capacity
	Free  Room      // capacity less everything assigned that is not backlog
	Load  task.Load // as last measured; breaks ties only

	Backlog    int   // tasks assigned beyond what runs
	BacklogMax int   // how many of those it may have; 0 is none
	Runs       Shape // shape of everything assigned to it, backlog too; zero when nothing is
	Mixed      bool  // what is assigned has several shapes: no backlog
}

// Class is all ready tasks that are alike for placement: same need, priority
// and delivery.
type Class struct {
	Key      uint64 // the caller's name for it
	Need     task.Need
	Priority uint8
	Delivery task.Delivery
	Count    int     // ready tasks
	Oldest   task.ID // the first of them
	// Waiting is how long the class has been passed over: since its oldest task
	// became ready or since a task of the class was last assigned, whichever is
	// the shorter time.
	Waiting time.Duration
}

// Assignment gives the first N tasks of a class to a worker. One plan has at
// most one assignment for the same class, worker and Backlog; N counts on from
// the assignments before it.
type Assignment struct {
	Class   int // index in the classes of the plan
	Worker  int // index in the workers of the plan
	N       int
	Backlog bool // beyond what the worker can run now
}

// Hold says that a worker was kept free for a class that was passed over too
// long.
type Hold struct {
	Class  int // index in the classes of the plan
	Worker int // index in the workers of the plan
}

// Result is a plan. Its slices belong to the Planner that made it and are valid
// until its next plan.
type Result struct {
	Assignments []Assignment
	Holds       []Hold
}

// Ledger counts what is assigned to one worker. The zero value is an idle
// worker. It is not safe for concurrent use.
type Ledger struct {
	shapes map[Shape]int
}

// Add notes that a task with this need was assigned.
func (l *Ledger) Add(n task.Need) {
	if l.shapes == nil {
		l.shapes = make(map[Shape]int, 1)
	}
	l.shapes[ShapeOf(n)]++
}

// Remove takes back one Add of the same need. Without such an Add it does
// nothing.
func (l *Ledger) Remove(n task.Need) {
	s := ShapeOf(n)
	switch c := l.shapes[s]; c {
	case 0:
	case 1:
		delete(l.shapes, s)
	default:
		l.shapes[s] = c - 1
	}
}

// Tasks is how many tasks are assigned.
func (l *Ledger) Tasks() int {
	n := 0
	for _, c := range l.shapes {
		n += c
	}
	return n
}

// Fill sets Free, Backlog, Runs and Mixed of w from w.Cap and what is assigned.
// Tasks of a single shape beyond what the capacity holds count as backlog; with
// several shapes everything counts as taken.
func (l *Ledger) Fill(w *Worker) {
	w.Free, w.Backlog, w.Runs, w.Mixed = RoomOf(w.Cap), 0, Shape{}, len(l.shapes) > 1
	for s, n := range l.shapes {
		k := n
		if !w.Mixed {
			w.Runs = s
			k = min(n, s.fitsTimes(w.Free))
			w.Backlog = n - k
		}
		w.Free.takeTimes(s, k)
	}
}

// takeTimes is take, k times; amounts that capacities cannot express stop at
// the lowest value instead of wrapping around.
func (r *Room) takeTimes(s Shape, k int) {
	r.CPU = task.Milli(lessOf(int64(r.CPU), int64(s.CPU), k))
	r.GPUs = int32(lessOf(int64(r.GPUs), int64(s.GPUs), k))
	r.Slots = int32(lessOf(int64(r.Slots), 1, k))
	r.MemoryMB = lessOf(r.MemoryMB, s.MemoryMB, k)
	r.DiskMB = lessOf(r.DiskMB, s.DiskMB, k)
}

func lessOf(have, each int64, k int) int64 {
	if each > 0 && int64(k) > (math.MaxInt64>>1)/each {
		return math.MinInt32
	}
	return max(have-each*int64(k), math.MinInt32)
}

// fitsTimes is how many tasks of this shape r holds.
func (s Shape) fitsTimes(r Room) int {
	n := int64(max(r.Slots, 0))
	lower := func(have, want int64) {
		if want > 0 {
			n = min(n, max(have, 0)/want)
		}
	}
	lower(int64(r.CPU), int64(s.CPU))
	lower(r.MemoryMB, s.MemoryMB)
	lower(r.DiskMB, s.DiskMB)
	lower(int64(r.GPUs), int64(s.GPUs))
	return int(n)
}
