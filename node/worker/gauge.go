package worker

import (
	"sync"

	"github.com/shirou/gopsutil/v4/disk"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// gauge keeps what was last seen of this machine and of what its tasks use. A
// look takes seconds where there are thousands of processes or a disk does not
// answer; whoever waited for it before a heartbeat would lose the leases.
type gauge struct {
	mu   sync.Mutex
	busy bool
	full bool // the disk has no room for output; set at once when a write fails
	load task.Load
	use  []wire.TaskUse
}

// glance gives what was last seen, and looks again beside unless a look is
// going on.
func (w *Worker) glance() (task.Load, []wire.TaskUse) {
	w.gauge.mu.Lock()
	load, use, busy := w.gauge.load, w.gauge.use, w.gauge.busy
	load.DiskFull = w.gauge.full
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
	full := !w.spool.hasSpace()
	w.gauge.mu.Lock()
	changed := w.gauge.full != full
	w.gauge.full = full
	w.gauge.load, w.gauge.use, w.gauge.busy = load, use, false
	w.gauge.mu.Unlock()
	switch {
	case changed && full:
		w.log.Error("the disk is full: no tasks are taken until there is space for their output", "dir", w.spool.dir)
	case changed:
		w.log.Info("there is space for output again: tasks are taken", "dir", w.spool.dir)
	}
}

// noteSpoolFailed says that output could not be written; the next look finds out
// whether the disk has space.
func (w *Worker) noteSpoolFailed() {
	w.gauge.mu.Lock()
	defer w.gauge.mu.Unlock()
	w.gauge.full = w.gauge.full || !w.spool.hasSpace()
}

// minSpoolSpace is the least free space, in bytes, with which tasks are taken:
// less than a sixteenth of a small disk.
const minSpoolSpace = 16 << 20

// enoughSpace reports whether a disk has room for output of tasks.
func enoughSpace(free, total uint64) bool { return free >= min(minSpoolSpace, total/16) }

// hasSpace reports whether the spool's disk has room; one that does not say has.
func (s *spool) hasSpace() bool {
	u, err := disk.Usage(s.dir)
	return err != nil || enoughSpace(u.Free, u.Total)
}
