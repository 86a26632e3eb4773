package sched

import (
	"fmt"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
)

func fleet(n, slots int) []Worker {
	ws := make([]Worker, n)
	for i := range ws {
		ws[i] = worker(fmt.Sprintf("w%04d", i), slots, slots)
		ws[i].BacklogMax = slots
	}
	return ws
}

// Cost for each task placed, one class, as the fleet and the queue grow.
func BenchmarkPerTask(b *testing.B) {
	for _, workers := range []int{1, 10, 100, 1000} {
		for _, ready := range []int{1_000, 1_000_000} {
			b.Run(fmt.Sprintf("workers=%d/ready=%d", workers, ready), func(b *testing.B) {
				ws := fleet(workers, max(8, 8000/workers))
				cs := []Class{{Key: 1, Count: ready}}
				var p Planner
				n := 0
				for b.Loop() {
					for _, a := range p.Plan(cs, ws).Assignments {
						n += a.N
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/task")
			})
		}
	}
}

// The steady state: a few workers have room again, the caller leaves out the others.
func BenchmarkFewFree(b *testing.B) {
	ws := fleet(16, 1)
	cs := []Class{{Key: 1, Count: 1_000_000}}
	var p Planner
	for b.Loop() {
		p.Plan(cs, ws)
	}
}

// Many classes over many workers, from those that fit everywhere to those that
// fit nowhere.
func BenchmarkClassesTimesWorkers(b *testing.B) {
	kinds := map[string]func(i int) task.Need{
		"alike":       func(i int) task.Need { return task.Need{MemoryMB: int64(i % 7)} },
		"by host":     func(i int) task.Need { return task.Need{Labels: map[string]string{"host": fmt.Sprintf("w%04d", i)}} },
		"by name":     func(i int) task.Need { return task.Need{On: fmt.Sprintf("w%04d", i)} },
		"fit nowhere": func(i int) task.Need { return task.Need{Labels: map[string]string{"zone": fmt.Sprint(i)}} },
		"too large":   func(i int) task.Need { return task.Need{CPU: task.Milli(64000 + i)} },
	}
	for name, need := range kinds {
		b.Run(name, func(b *testing.B) {
			ws := fleet(1000, 8)
			cs := make([]Class, 1000)
			for i := range cs {
				cs[i] = Class{Key: uint64(i), Need: need(i), Count: 1000, Oldest: task.ID(i + 1)}
			}
			var p Planner
			for b.Loop() {
				p.Plan(cs, ws)
			}
		})
	}
}
