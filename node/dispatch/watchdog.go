package dispatch

import (
	"context"
	"time"
)

// StuckAfter is how long the loop of Run may go without coming round.
const StuckAfter = 30 * time.Second

// A look asks the loop to come round; so many looks in a row without that are
// needed. They are counted, not timed, so that a process that was stopped for
// an hour is not taken for one that hangs.
const (
	stuckLooks = 6
	lookEvery  = StuckAfter / stuckLooks
)

// watchdog counts how often in a row a loop was found where it was before.
type watchdog struct {
	turns  uint64
	missed int
}

// look takes how often the loop has come round and reports whether it is stuck.
func (w *watchdog) look(turns uint64) bool {
	if turns != w.turns {
		w.turns, w.missed = turns, 0
		return false
	}
	w.missed++
	return w.missed >= stuckLooks
}

// watchLoop calls Stuck when the loop of Run hangs; it ends with that, or with
// ctx.
func (d *Dispatcher) watchLoop(ctx context.Context) {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	d.watchTurns(ctx, t.C)
}

func (d *Dispatcher) watchTurns(ctx context.Context, looks <-chan time.Time) {
	var w watchdog
	for {
		d.poke()
		select {
		case <-ctx.Done():
			return
		case <-looks:
		}
		if w.look(d.turns.Load()) {
			if d.opt.Stuck != nil {
				d.opt.Stuck()
			}
			return
		}
	}
}
