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
	if dispatches(n) {
		what = "the dispatcher"
	}
	out := []string{"This node is " + what + ": " + runs + "."}
	switch {
	case !dispatches(n):
	case waiting == 0:
		out = append(out, "It keeps the queue, in which nothing waits.")
	default:
		out = append(out, "It keeps the queue of "+part.Plural(waiting, "waiting task")+".")
	}
	return out
}

// quit leaves, after asking if this node does something.
func (m *Model) quit() {
	self := m.selfNode()
	if m.opt.Demo || m.opt.Attached || self == nil || len(self.Doing) == 0 || m.snap.Link.State == Starting {
		m.do(Quit{KeepRunning})
		return
	}
	q := &question{title: "Leave the dashboard?", wide: 66}
	q.lines = func(m *Model, w int) []string {
		self := m.selfNode()
		if self == nil {
			return nil
		}
		return m.text(w, theme.Text, atWork(self, m.snap.Status.Ready)...)
	}
	q.buttons = []choice{
		{label: "Keep it running", action: "dialog.yes", do: func(m *Model) { m.do(Quit{KeepRunning}) }},
		{label: "Drain and stop", do: func(m *Model) { m.do(Quit{DrainAndStop}) }, harm: true},
		{label: "Stay"},
	}
	q.focus = 2
	m.open(q)
}
