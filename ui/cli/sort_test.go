package cli

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

func TestTaskOrder(t *testing.T) {
	one := func(id task.ID, st task.State, node string, ran int64, exit int32, prio int, cmd string) task.Task {
		x := task.Task{ID: id, State: st, Spec: task.Spec{Shell: cmd}}
		x.Spec.Priority = uint8(prio)
		x.Attempts = []task.Attempt{{Node: task.NodeID(node), Started: 1, Ended: 1 + ran, Exit: task.Exit{Code: exit}}}
		return x
	}
	tasks := []task.Task{
		one(1, task.Done, "b", 10, 0, 50, "zip"),
		one(2, task.Failed, "a", 30, 2, 75, "awk"),
		one(3, task.Running, "a", 20, 0, 50, "make"),
		{ID: 4, State: task.Queued, Spec: task.Spec{Shell: "awk", Priority: 25}},
	}
	for _, tc := range []struct {
		column  string
		reverse bool
		want    string
	}{
		{"state", false, "[4 3 1 2]"},
		{"node", false, "[4 3 2 1]"},
		{"time", false, "[2 3 1 4]"},
		{"time", true, "[4 1 3 2]"},
		{"exit", false, "[4 3 1 2]"},
		{"priority", false, "[2 3 1 4]"},
		{"command", false, "[4 2 3 1]"},
	} {
		order, err := taskOrder(tc.column, tc.reverse, time.UnixMilli(100))
		if err != nil {
			t.Fatal(err)
		}
		all := slices.Clone(tasks)
		slices.SortFunc(all, func(a, b task.Task) int { return order(&a, &b) })
		var ids []task.ID
		for _, x := range all {
			ids = append(ids, x.ID)
		}
		if got := fmt.Sprint(ids); got != tc.want {
			t.Errorf("%s, reverse %v: %s, want %s", tc.column, tc.reverse, got, tc.want)
		}
	}
	if _, err := taskOrder("nod", false, time.Now()); task.KindOf(err) != task.KindUsage || task.HintOf(err) != "did you mean --sort node?" {
		t.Error(err, task.HintOf(err))
	}
}
