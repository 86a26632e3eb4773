package dispatch

import (
	"testing"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/task"
)

func TestAhead(t *testing.T) {
	classes := []queue.Class{{Priority: 100, Count: 2}, {Priority: 50, Count: 5}, {Priority: 50, Count: 3}, {Priority: 25, Count: 9}}
	for _, tc := range []struct {
		name     string
		priority uint8
		accepted int
		want     int
	}{
		{"highest waits for nobody above", 100, 2, 0},
		{"normal waits for its own and above", 50, 3, 7},
		{"low waits for all", 25, 1, 18},
		{"already running", 50, 20, 0},
	} {
		if got := ahead(classes, tc.priority, tc.accepted); got != tc.want {
			t.Errorf("%s: %d ahead, want %d", tc.name, got, tc.want)
		}
	}
}

func TestAtMostOnceIsNotRetried(t *testing.T) {
	var d Dispatcher
	err := d.admit(&control.NewTask{Spec: task.Spec{Shell: "x", Retries: 1, Delivery: task.AtMostOnce}}, false)
	if task.KindOf(err) != task.KindUsage {
		t.Errorf("admitted a task that must not run twice and is to be retried: %v", err)
	}
}
