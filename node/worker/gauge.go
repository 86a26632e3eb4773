package worker

import (
	"sync"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// gauge keeps what was last seen of this machine and of what its tasks use. A
// look takes seconds where there are thousands of processes or a disk does not
// answer; whoever waited for it before a heartbeat would lose the leases.
type gauge struct {
	mu   sync.Mutex
	busy bool
	load task.Load
	use  []wire.TaskUse
}

// glance gives what was last seen, and looks again beside unless a look is
// going on.
func (w *Worker) glance() (task.Load, []wire.TaskUse) {
	w.gauge.mu.Lock()
	load, use, busy := w.gauge.load, w.gauge.use, w.gauge.busy
	w.gauge.busy = true
	w.gauge.mu.Unlock()
	w.mu.Lock()
	load.Backlog = int32(len(w.waiting))
	for _, a := range w.attempts {
		if a.state == running {
			load.Running++
		}
	}
	if !busy && !w.stopped {
		w.running.Go(w.look)
	}
	w.mu.Unlock()
	return load, use
}

func (w *Worker) look() {
	var load task.Load
	if w.opt.Load != nil {
		load = w.opt.Load()
	}
	use := w.uses()
	w.gauge.mu.Lock()
	w.gauge.load, w.gauge.use, w.gauge.busy = load, use, false
	w.gauge.mu.Unlock()
}
