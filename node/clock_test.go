package node

import (
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// A machine whose clock was never set begins no cluster.
func TestNoClusterIn1970(t *testing.T) {
	if err := checkClock(time.Unix(60, 0)); task.KindOf(err) != task.KindUsage || task.HintOf(err) == "" {
		t.Error(err)
	}
	if err := checkClock(time.Now()); err != nil {
		t.Error(err)
	}
}
