package pane

import (
	"testing"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// Repeated events become one line; ten seconds later a new one begins.
func TestFold(t *testing.T) {
	th, _ := theme.Builtin("dark", true)
	view := &scene.Scene{Styles: theme.NewStyles(th, theme.Plain, false)}
	var list []control.Event
	for i := range 118 {
		list = append(list, control.Event{Position: uint64(i), Time: int64(i) * 50, Kind: control.EventTask, Task: task.ID(i + 1), To: task.Failed, Node: "node-118", Exit: &task.Exit{Code: 2}})
	}
	list = append(list, control.Event{Position: 200, Time: 20_000, Kind: control.EventTask, Task: 500, To: task.Failed, Node: "node-118", Exit: &task.Exit{Code: 2}})
	got := Fold(view, list)
	if len(got) != 2 || got[1].count != 118 || got[0].count != 1 {
		t.Fatalf("%+v", got)
	}
	if w := got[1].Words(); w != "118 tasks failed on node-118, the last is 118" {
		t.Errorf("%q", w)
	}
}
