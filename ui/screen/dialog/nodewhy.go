package dialog

import (
	"fmt"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task/text"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// newNodeWhy says in words how a node stands and what follows from it.
func newNodeWhy(view *scene.Scene) scene.Dialog {
	q := &question{title: "Node", wide: 72}
	if n := view.Node(); n != nil {
		q.title = "Why is " + n.Name + " " + string(n.State) + "?"
		if n.State == control.NodeUp {
			q.title = "How is " + n.Name + "?"
		}
		q.same = "octaskly nodes show " + text.QuoteShell(n.Name)
	}
	q.lines = func(view *scene.Scene, w int) []string {
		n := view.Node()
		if n == nil {
			return nil
		}
		out := view.Text(w, theme.Text, nodeStory(n, scene.SeenText(view, n)))
		for _, x := range n.Warnings {
			out = append(out, view.Text(w, theme.Warn, view.Styles.Glyphs.Stale+" "+x)...)
		}
		return out
	}
	q.buttons = []choice{{label: "Close"}}
	return q
}

func nodeStory(n *control.Node, seen string) string {
	switch n.State {
	case control.NodeUp:
		if n.Capacity.Slots == 0 {
			return "It is well, and takes no tasks: it offers no slots."
		}
		if n.Used.Tasks >= n.Capacity.Slots {
			return fmt.Sprintf("It is well and full: %d of %d slots in use. The next task goes there when one ends.", n.Capacity.Slots, n.Capacity.Slots)
		}
		return fmt.Sprintf("It is well and has room: %d of %d slots in use.", n.Used.Tasks, n.Capacity.Slots)
	case control.NodeDraining:
		return fmt.Sprintf("Somebody drained it: it gets no new tasks. %s still running there. D takes it back.", part.Plural(int(n.Used.Tasks), "task"))
	case control.NodeDrained:
		return "Somebody drained it, and nothing runs there any more. It may be stopped. D gives it tasks again."
	case control.NodeStale:
		return "It missed heartbeats; it was last heard " + seen + " ago. Its leases still hold, so nothing is run twice. If it stays silent it becomes lost."
	case control.NodeLost:
		return "Its leases ran out; it was last heard " + seen + " ago. Its at-least-once tasks were given to others; at-most-once ones are lost until it reports."
	case control.NodeAway:
		return "It left in good order and may come back at any time."
	case control.NodeAsks:
		return "It is not a member and asks to be. It can do nothing until a person types its code: press t."
	case control.NodeForeign:
		return "It belongs to another cluster. It is shown so that nobody wonders; it can do nothing here."
	}
	return "It is " + string(n.State) + "."
}
