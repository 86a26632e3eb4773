package dialog

import (
	"context"
	"fmt"
	"strings"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task/text"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// drainTargets is the marked nodes, else the one under the cursor.
func drainTargets(view *scene.Scene) []*control.Node {
	var out []*control.Node
	for i := range view.Facts().Nodes {
		if n := &view.Facts().Nodes[i]; view.Nodes.Marks[n.ID] {
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		if n := view.Node(); n != nil {
			out = append(out, n)
		}
	}
	return out
}

// newDrain asks before nodes get no further tasks, or get them again.
func newDrain(nodes []*control.Node) scene.Dialog {
	names := make([]string, 0, len(nodes))
	runs := 0
	back := true
	for _, n := range nodes {
		names = append(names, n.Name)
		runs += int(n.Used.Tasks)
		back = back && (n.State == control.NodeDraining || n.State == control.NodeDrained)
	}
	what := part.Plural(len(names), "node")
	if len(names) == 1 {
		what = names[0]
	}
	if back {
		return undrainDialog(what, names)
	}
	if len(names) > largest {
		return &typedDialog{
			title: "Drain " + what + "?", label: fmt.Sprintf("Type %d to drain them", len(names)), want: fmt.Sprint(len(names)),
			lines: func(view *scene.Scene, w int) []string {
				return view.Text(w, theme.Text, "They get no new tasks. "+goesOn(runs))
			},
			do: func(view *scene.Scene) { drainNow(view, names, false) },
		}
	}
	q := &question{title: "Drain " + what + "?", wide: 62, same: "octaskly drain " + text.QuoteShell(names...)}
	q.lines = func(view *scene.Scene, w int) []string {
		out := view.Text(w, theme.Text, "No new tasks are given to "+what+". "+goesOn(runs)+" D takes it back.")
		return append(out, part.NewLine(view.Styles, w).String(), view.SameAs(w, q.same))
	}
	q.buttons = []choice{{label: "Keep as it is"}, {label: "Drain", action: "dialog.yes", harm: true, do: func(view *scene.Scene) { drainNow(view, names, false) }}}
	return q
}

// goesOn says what becomes of the tasks that run where no new ones are given.
func goesOn(runs int) string {
	switch runs {
	case 0:
		return "Nothing runs there now."
	case 1:
		return "The task that runs there goes on."
	}
	return "The " + part.Count(runs) + " tasks that run there go on."
}

func undrainDialog(what string, names []string) scene.Dialog {
	q := &question{title: "Give tasks to " + what + " again?", same: "octaskly undrain " + text.QuoteShell(names...)}
	q.lines = func(view *scene.Scene, w int) []string { return []string{view.SameAs(w, q.same)} }
	q.buttons = []choice{{label: "Undrain", action: "dialog.yes", do: func(view *scene.Scene) { drainNow(view, names, true) }}, {label: "Not now"}}
	return q
}

func drainNow(view *scene.Scene, names []string, back bool) {
	verb := "drain"
	if back {
		verb = "undrain"
	}
	scene.Do(view, scene.About{What: verb, Harm: !back}, func(ctx context.Context, c control.Control) (struct{}, error) {
		for _, n := range names {
			var err error
			if back {
				_, err = c.Undrain(ctx, n)
			} else {
				_, err = c.Drain(ctx, n)
			}
			if err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	}, func(_ struct{}, err error) {
		if err != nil {
			view.Fail(verb, err)
			return
		}
		clear(view.Nodes.Marks)
		what := " no longer get new tasks"
		switch {
		case back && len(names) == 1:
			what = " takes tasks again"
		case back:
			what = " take tasks again"
		case len(names) == 1:
			what = " no longer gets new tasks"
		}
		view.Say(theme.OK, strings.Join(names, ", ")+what)
	})
}
