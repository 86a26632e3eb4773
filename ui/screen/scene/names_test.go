package scene

import (
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

func TestNamedPrefersMembers(t *testing.T) {
	s := Snapshot{Nodes: []control.Node{
		{ID: "stranger", Name: "mill", State: control.NodeForeign, Doing: []string{"dispatcher"}},
		{ID: "ours", Name: "mill", State: control.NodeUp},
		{ID: "asker", Name: "loom", State: control.NodeAsks},
	}}
	for name, want := range map[string]task.NodeID{"mill": "ours", "loom": "asker"} {
		if n := s.Named(name); n == nil || n.ID != want {
			t.Errorf("%s: %v, want %s", name, n, want)
		}
	}
	if s.Named("nobody") != nil {
		t.Error("found nobody")
	}
	if Dispatches(&s.Nodes[0]) || Dispatches(&s.Nodes[1]) || Dispatches(nil) {
		t.Error("a stranger's dispatcher is not ours")
	}
	if !Dispatches(&control.Node{State: control.NodeUp, Doing: []string{"dispatcher", "worker"}}) {
		t.Error("our dispatcher is one")
	}
}

func TestSlots(t *testing.T) {
	for _, c := range []struct {
		tasks, slots int32
		want         string
	}{{0, 0, "-"}, {0, 2, "0/2"}, {2, 2, "2/2"}, {4, 2, "2/2+2"}} {
		n := control.Node{Capacity: task.Capacity{Slots: c.slots}, Used: control.Used{Tasks: c.tasks}}
		if got := SlotsOf(&n); got != c.want {
			t.Errorf("%d tasks on %d slots: %q, want %q", c.tasks, c.slots, got, c.want)
		}
	}
}

func TestUsage(t *testing.T) {
	second := int64(1000)
	for _, c := range []struct {
		name     string
		a        []task.Attempt
		cpu, mem string
		live     bool
	}{
		{"never started", nil, "-", "-", false},
		{"nothing known", []task.Attempt{{Started: 1}}, "-", "-", false},
		{"runs", []task.Attempt{{Started: 1, Live: &task.Live{CPUPercent: 93.4, MemoryMB: 412}}}, "93%", "412M", true},
		{"ended", []task.Attempt{{Started: 1, Ended: 1 + 4*second, Usage: task.Usage{CPU: 2 * time.Second, MaxRSS: 3 << 20}}}, "50%", "3.0M", false},
		{"ended at once", []task.Attempt{{Started: 1, Ended: 1, Usage: task.Usage{CPU: time.Second}}}, "-", "-", false},
	} {
		cpu, mem, live := UsageOf(&task.Task{Attempts: c.a})
		if cpu != c.cpu || mem != c.mem || live != c.live {
			t.Errorf("%s: %s %s %v, want %s %s %v", c.name, cpu, mem, live, c.cpu, c.mem, c.live)
		}
	}
}
