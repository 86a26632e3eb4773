package screen

import (
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// atWork says what a node does that somebody wants to leave.
func atWork(n *control.Node, waiting int) []string {
	runs := "nothing runs here now"
	if n.Used.Tasks > 0 {
		runs = part.Plural(int(n.Used.Tasks), "task") + " running here"
	}
	what := "a " + role(n)
	if Dispatches(n) {
		what = "the dispatcher"
	}
	out := []string{"This node is " + what + ": " + runs + "."}
	switch {
	case !Dispatches(n):
	case waiting == 0:
		out = append(out, "It keeps the queue, in which nothing waits.")
	default:
		out = append(out, "It keeps the queue of "+part.Plural(waiting, "waiting task")+".")
	}
	return out
}

// leave leaves, after asking if this node does something.
func leave(view *Scene) {
	self := view.Facts().Self()
	if view.Options.Demo || view.Options.Attached || self == nil || len(self.Doing) == 0 || view.Latest.Link.State == Starting {
		view.Emit(Quit{KeepRunning})
		return
	}
	q := &question{title: "Leave the dashboard?", wide: 66}
	q.lines = func(view *Scene, w int) []string {
		self := view.Facts().Self()
		if self == nil {
			return nil
		}
		return view.Text(w, theme.Text, atWork(self, view.Latest.Status.Ready)...)
	}
	q.buttons = []choice{
		{label: "Keep it running", action: "dialog.yes", do: func(view *Scene) { view.Emit(Quit{KeepRunning}) }},
		{label: "Drain and stop", do: func(view *Scene) { view.Emit(Quit{DrainAndStop}) }, harm: true},
		{label: "Stay"},
	}
	q.focus = 2
	view.Open(q)
}
