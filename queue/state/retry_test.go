package state

import (
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

func TestRetryDelay(t *testing.T) {
	for n, want := range map[uint32]time.Duration{1: time.Second, 2: 2 * time.Second, 4: 8 * time.Second, 9: 256 * time.Second, 10: 5 * time.Minute, 900: 5 * time.Minute} {
		for id := task.ID(1); id < 200; id++ {
			d := RetryDelay(id, n, false)
			if d < want*3/4 || d >= want*5/4 || d != RetryDelay(id, n, false) {
				t.Fatalf("delay %d of task %d: %v, about %v wanted", n, id, d, want)
			}
		}
		if d := RetryDelay(7, n, true); d >= RetryBase*5/4 {
			t.Fatalf("fixed delay %d: %v", n, d)
		}
	}
}
