package cli

import (
	"testing"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

func TestMembersComeBeforeStrangersOfTheSameName(t *testing.T) {
	nodes := []control.Node{
		{Name: "desk", ID: "aaaaaaaabb", State: control.NodeForeign},
		{Name: "desk", ID: "bbbbbbbbcc", State: control.NodeDrained},
		{Name: "shed", ID: "ccccccccdd", State: control.NodeAsks},
	}
	for name, want := range map[string]task.NodeID{
		"desk": "bbbbbbbbcc", "aaaaaaaab": "aaaaaaaabb", "shed": "ccccccccdd", "barn": "", "aaaa": "",
	} {
		var got task.NodeID
		if n := pickNode(nodes, name); n != nil {
			got = n.ID
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
