package worker

import (
	"slices"
	"time"

	"github.com/adauldev/octaskly/exec"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// settled is how long an attempt must have run before its use is told: most end
// before anybody could look.
const settled = 500 * time.Millisecond

// useTime is how long looking at what tasks use may take. Those that are left
// out are looked at the next time.
const useTime = 50 * time.Millisecond

// sample is what an attempt had used when it was last looked at.
type sample struct {
	at  time.Time
	cpu time.Duration
}

// uses says what running attempts use now, the largest first.
func (w *Worker) uses() []wire.TaskUse {
	begun := time.Now()
	type look struct {
		a       *attempt
		run     exec.Run
		started time.Time
	}
	var looks []look
	w.mu.Lock()
	for _, a := range w.attempts {
		if a.state == running && a.run != nil && begun.Sub(a.started) > settled {
			looks = append(looks, look{a, a.run, a.started})
		}
	}
	w.mu.Unlock()
	var out []wire.TaskUse
	for _, l := range looks {
		now := time.Now()
		if now.Sub(begun) > useTime {
			break
		}
		u := l.run.Usage()
		out = append(out, l.a.seen.use(l.a.ID, l.started, u, now))
	}
	slices.SortFunc(out, func(a, b wire.TaskUse) int {
		if d := b.CPU - a.CPU; d != 0 {
			return int(max(-1e6, min(d*1000, 1e6)))
		}
		return int(max(-1e6, min(b.MemMB-a.MemMB, 1e6)))
	})
	return out[:min(len(out), wire.MaxTaskUses)]
}

// use is the share of a CPU that was used since the sample before, which this
// one replaces. Only look, which never runs twice at once, calls it.
func (s *sample) use(id task.ID, started time.Time, u exec.Usage, now time.Time) wire.TaskUse {
	from := *s
	if from.at.IsZero() {
		from.at = started
	}
	*s = sample{now, u.CPU}
	t := wire.TaskUse{ID: id, MemMB: (u.MemoryBytes + 1<<20 - 1) >> 20}
	if d := now.Sub(from.at); d > 0 && u.CPU > from.cpu {
		t.CPU = float32(100 * (u.CPU - from.cpu).Seconds() / d.Seconds())
	}
	return t
}
