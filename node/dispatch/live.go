package dispatch

import (
	"slices"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Bounds of what a task can be said to use.
const (
	mostPercent  = 100 * 4096
	mostMemoryMB = 1 << 30
)

// noteUse takes what a worker says of what its tasks use. It can speak only of
// tasks that it holds, and no figure of it does harm.
func (w *worker) noteUse(all []wire.TaskUse) {
	clear(w.live)
	for _, u := range all[:min(len(all), wire.MaxTaskUses)] {
		if _, ok := w.leases[u.ID]; !ok {
			continue
		}
		if w.live == nil {
			w.live = make(map[task.ID]task.Live)
		}
		w.live[u.ID] = task.Live{CPUPercent: percentOf(u.CPU), MemoryMB: max(0, min(u.MemMB, mostMemoryMB))}
	}
}

func percentOf(p float32) float32 {
	if !(p > 0) { // not a number is not
		return 0
	}
	return min(p, mostPercent)
}

// addLive adds to a running task what it uses now, if its worker said so.
func (d *Dispatcher) addLive(t *task.Task) {
	last := t.Last()
	if last == nil || t.State != task.Running {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.workers[last.Node]
	if w == nil {
		return
	}
	l, ok := w.live[t.ID]
	if !ok || w.leases[t.ID].Fence != last.Fence {
		return
	}
	t.Attempts = slices.Clone(t.Attempts)
	t.Last().Live = &l
}
