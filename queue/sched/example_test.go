package sched_test

import (
	"fmt"

	"github.com/adauldev/octaskly/queue/sched"
	"github.com/adauldev/octaskly/queue/task"
)

// Where a task could run is told before it is submitted.
func ExamplePlace() {
	worker := func(name string, cpus, free task.Milli) sched.Worker {
		offer := task.Capacity{CPU: cpus, MemoryMB: 4096, Slots: 4}
		left := sched.RoomOf(offer)
		left.CPU = free
		return sched.Worker{ID: task.NodeID(name), Name: name, Cap: offer, Free: left}
	}
	workers := []sched.Worker{worker("mill-1", 4000, 4000), worker("mill-2", 4000, 1000), worker("mill-3", 1000, 1000)}
	p := sched.Place(task.Need{CPU: 2000}, workers)
	fmt.Println("now:", p.Now, "later:", p.Later, "of", p.Nodes)

	p = sched.Place(task.Need{CPU: 8000}, workers)
	fmt.Println(p.Lacks)
	// Output:
	// now: [mill-1] later: [mill-2] of 3
	// no node has cpu 8; the closest is mill-1 with 4: ask for less, or start a worker that has it
}
