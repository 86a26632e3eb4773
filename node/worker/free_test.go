package worker

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/adauldev/octaskly/queue/task"
)

func TestFreeTake(t *testing.T) {
	all := task.Capacity{CPU: 2000, MemoryMB: 100, GPUs: 2, Slots: 3}
	for _, tc := range []struct {
		name string
		cap  task.Capacity
		need task.Need
		ok   bool
		gpus []int32
	}{
		{"one CPU is the default", all, task.Need{}, true, nil},
		{"all of it", all, task.Need{CPU: 2000, MemoryMB: 100, GPUs: 2}, true, []int32{0, 1}},
		{"too many CPUs", all, task.Need{CPU: 2001}, false, nil},
		{"too much memory", all, task.Need{MemoryMB: 101}, false, nil},
		{"too many GPUs", all, task.Need{GPUs: 3}, false, nil},
		{"no slots", task.Capacity{CPU: 2000, MemoryMB: 100}, task.Need{}, false, nil},
		{"no CPUs for the default", task.Capacity{CPU: 500, Slots: 1}, task.Need{}, false, nil},
		{"half a CPU", task.Capacity{CPU: 500, Slots: 1}, task.Need{CPU: 500}, true, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := freeOf(tc.cap)
			before := freeOf(tc.cap)
			c, ok := f.take(tc.need)
			if ok != tc.ok || !slices.Equal(c.gpus, tc.gpus) {
				t.Errorf("took %+v, %v", c, ok)
			}
			if !ok && !sameFree(f, before) {
				t.Errorf("a refusal took something: %+v", f)
			}
			f.give(&c)
			f.give(&c) // once more is nothing
			if !sameFree(f, before) {
				t.Errorf("after giving back: %+v, before %+v", f, before)
			}
		})
	}
}

func sameFree(a, b free) bool {
	return a.cpu == b.cpu && a.mem == b.mem && a.slots == b.slots && slices.Equal(a.gpus, b.gpus)
}

// Whatever is taken and given, no GPU has two owners and nothing is negative.
func TestFreeNeverOvercommits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := task.Capacity{CPU: task.Milli(rapid.IntRange(0, 4000).Draw(t, "cpu")), MemoryMB: 64, GPUs: 3, Slots: int32(rapid.IntRange(0, 4).Draw(t, "slots"))}
		f := freeOf(c)
		var held []claim
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			if len(held) > 0 && rapid.Bool().Draw(t, "give") {
				i := rapid.IntRange(0, len(held)-1).Draw(t, "which")
				f.give(&held[i])
				held = slices.Delete(held, i, i+1)
				continue
			}
			need := task.Need{CPU: task.Milli(rapid.IntRange(0, 2000).Draw(t, "need")), MemoryMB: int64(rapid.IntRange(0, 40).Draw(t, "mem")), GPUs: int32(rapid.IntRange(0, 3).Draw(t, "gpus"))}
			if cl, ok := f.take(need); ok {
				held = append(held, cl)
			}
			owner := map[int32]bool{}
			for _, h := range held {
				for _, g := range h.gpus {
					if owner[g] {
						t.Fatalf("GPU %d has two owners", g)
					}
					owner[g] = true
				}
			}
			if f.cpu < 0 || f.mem < 0 || f.slots < 0 || int32(len(held)) > c.Slots {
				t.Fatalf("over-committed: %+v with %d claims", f, len(held))
			}
		}
		for i := range held {
			f.give(&held[i])
		}
		if !sameFree(f, freeOf(c)) {
			t.Fatalf("not all came back: %+v", f)
		}
	})
}

func TestLeaseEndCountsFromTheSending(t *testing.T) {
	if got := leaseEnd(100*time.Second, 5*time.Second); got != 105*time.Second {
		t.Errorf("a lease of 5 s that was renewed by a beat sent at 100 s ends at %v", got)
	}
}
