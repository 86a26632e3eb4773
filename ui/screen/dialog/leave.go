package dialog

import (
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// atWork says what a node does that somebody wants to leave.
func atWork(n *control.Node, waiting int) []string {
	runs := "nothing runs here now"
	if n.Used.Tasks > 0 {
		runs = part.Plural(int(n.Used.Tasks), "task") + " running here"
	}
	what := "a " + scene.Role(n)
	if scene.Dispatches(n) {
		what = "the dispatcher"
	}
	out := []string{"This node is " + what + ": " + runs + "."}
	switch {
	case !scene.Dispatches(n):
	case waiting == 0:
		out = append(out, "It keeps the queue, in which nothing waits.")
	default:
		out = append(out, "It keeps the queue of "+part.Plural(waiting, "waiting task")+".")
	}
	return out
}

// Leave leaves, after asking if this node does something.
func Leave(view *scene.Scene) {
	self := view.Facts().Self()
	if view.Options.Demo || view.Options.Attached || self == nil || len(self.Doing) == 0 || view.Latest.Link.State == scene.Starting {
		view.Emit(scene.Quit{How: scene.KeepRunning})
		return
	}
	q := &question{title: "Leave the dashboard?", wide: 66}
	q.lines = func(view *scene.Scene, w int) []string {
		self := view.Facts().Self()
		if self == nil {
			return nil
		}
		return view.Text(w, theme.Text, atWork(self, view.Latest.Status.Ready)...)
	}
	q.buttons = []choice{
		{label: "Keep it running", action: "dialog.yes", do: func(view *scene.Scene) { view.Emit(scene.Quit{How: scene.KeepRunning}) }},
		{label: "Drain and stop", do: func(view *scene.Scene) { view.Emit(scene.Quit{How: scene.DrainAndStop}) }, harm: true},
		{label: "Stay"},
	}
	q.focus = 2
	view.Open(q)
}
