package worker

import (
	"testing"
	"time"

	"github.com/adauldev/octaskly/exec"
)

// TestUseIsAShareOfTime: what is told is what was used since the last look.
func TestUseIsAShareOfTime(t *testing.T) {
	at := time.Unix(1000, 0)
	a := &attempt{started: at}
	for i, c := range []struct {
		after time.Duration
		cpu   time.Duration
		bytes int64
		cpuP  float32
		mb    int64
	}{
		{time.Second, 500 * time.Millisecond, 1, 50, 1},
		{2 * time.Second, 2500 * time.Millisecond, 5 << 20, 200, 5},
		{3 * time.Second, 2 * time.Second, 0, 0, 0}, // a process ended and took its time with it
		{3 * time.Second, 3 * time.Second, 0, 0, 0}, // no time has passed
	} {
		u := a.seen.use(a.ID, a.started, exec.Usage{CPU: c.cpu, MemoryBytes: c.bytes}, at.Add(c.after))
		if u.CPU != c.cpuP || u.MemMB != c.mb {
			t.Errorf("look %d: %+v, want %v %% and %d MiB", i, u, c.cpuP, c.mb)
		}
	}
}
