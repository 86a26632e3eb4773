package dispatch

import (
	"math"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// TestHostileUse: a worker can say anything about what tasks use; only its own
// tasks are believed, only so many, and within bounds.
func TestHostileUse(t *testing.T) {
	w := &worker{leases: map[task.ID]lease{}}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for i, c := range []struct {
		say  wire.TaskUse
		want task.Live
	}{
		{wire.TaskUse{CPU: 99.5, MemMB: 12}, task.Live{CPUPercent: 99.5, MemoryMB: 12}},
		{wire.TaskUse{CPU: nan, MemMB: -1}, task.Live{}},
		{wire.TaskUse{CPU: inf, MemMB: math.MaxInt64}, task.Live{CPUPercent: mostPercent, MemoryMB: mostMemoryMB}},
		{wire.TaskUse{CPU: -inf, MemMB: math.MinInt64}, task.Live{}},
	} {
		c.say.ID = task.ID(i + 1)
		w.leases[c.say.ID] = lease{}
		w.noteUse([]wire.TaskUse{c.say, {ID: 99, CPU: 1}})
		if got := w.live[c.say.ID]; got != c.want || len(w.live) != 1 {
			t.Errorf("%+v is taken as %+v, want %+v (%d in all)", c.say, got, c.want, len(w.live))
		}
	}
	many := make([]wire.TaskUse, 10*wire.MaxTaskUses)
	for i := range many {
		many[i].ID = task.ID(i + 1)
		w.leases[many[i].ID] = lease{}
	}
	w.noteUse(many)
	if len(w.live) != wire.MaxTaskUses {
		t.Errorf("%d of %d are kept", len(w.live), len(many))
	}
	l := wire.Lease{ID: 1}
	if w.remove(l); w.live[1] != (task.Live{}) || len(w.live) != wire.MaxTaskUses-1 {
		t.Error("what a task that ended used is still told")
	}
}
