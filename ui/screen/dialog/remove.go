package dialog

import (
	"context"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task/text"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// newRemove takes away a node's membership: its name must be typed.
func newRemove(n *control.Node) scene.Dialog {
	if n == nil {
		return &question{title: "Remove", lines: func(view *scene.Scene, w int) []string { return view.Text(w, theme.Text, "No node is selected.") }, buttons: []choice{{label: "Close"}}}
	}
	name, runs := n.Name, int(n.Used.Tasks)
	return &typedDialog{
		title: "Remove " + name + " from the cluster?", label: "Type its name to remove it", want: name, same: "octaskly nodes remove " + text.QuoteShell(name),
		lines: func(view *scene.Scene, w int) []string {
			return view.Text(w, theme.Text, "Its membership is revoked: it cannot run or submit anything until it is admitted again.",
				movesOn(runs))
		},
		do: func(view *scene.Scene) {
			scene.Do(view, scene.About{What: "remove " + name, Harm: true}, func(ctx context.Context, c control.Control) (control.Node, error) { return c.Remove(ctx, name) }, func(_ control.Node, err error) {
				if err != nil {
					view.Fail("remove "+name, err)
					return
				}
				view.Say(theme.OK, name+" was removed")
			})
		},
	}
}

// movesOn says what becomes of the tasks that run on a node that is removed.
func movesOn(runs int) string {
	switch runs {
	case 0:
		return "Nothing runs there now."
	case 1:
		return "The task that runs there now is given to another node."
	}
	return "The " + part.Count(runs) + " tasks that run there now are given to other nodes."
}
