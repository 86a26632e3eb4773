package dialog

import (
	"context"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// newPromote makes this node the dispatcher, if there is none; says what is
// not possible yet, if there is one; warns, if there is one that is silent.
func newPromote(view *scene.Scene) scene.Dialog {
	s := view.Facts()
	self := s.Status.Self.Name
	if s.Link.State == scene.Gone && s.Status.Dispatcher != "" {
		return newTakeOver(view)
	}
	if d := s.Status.Dispatcher; d != "" {
		q := &question{title: "Promote " + self + "?", wide: 64}
		q.lines = func(view *scene.Scene, w int) []string {
			return view.Text(w, theme.Text, d+" is the dispatcher and is well. Handing a live dispatcher's queue to another node is not built yet.",
				"Until then: stop "+d+" first, and its queue stays on its disk.")
		}
		q.buttons = []choice{{label: "Close"}}
		return q
	}
	return promoteHere(self, s.Status.Cluster != "", nil)
}

// promoteHere asks to make this node the dispatcher; then goes on with what
// needed one.
func promoteHere(self string, member bool, then func(*scene.Scene)) scene.Dialog {
	q := &question{title: "Make " + self + " the dispatcher?", wide: 64, same: "octaskly promote"}
	q.lines = func(view *scene.Scene, w int) []string {
		s := view.Facts()
		out := view.Text(w, theme.Text, self+" will keep the task queue and hand out the tasks.")
		out = append(out, part.NewLine(view.Styles, w).String())
		point := func(text string) {
			out = append(out, part.NewLine(view.Styles, w).Sp(1).T(theme.OK, view.Styles.Glyphs.Done).Sp(1).T(theme.Text, text).String())
		}
		point("the queue and the record of who did what stay here")
		point("it also runs tasks itself")
		if n := s.Known() - 1; n > 0 {
			point(part.Plural(n, "other node") + " can be let in then (t)")
		} else {
			point("other machines can join at any time")
		}
		out = append(out, part.NewLine(view.Styles, w).String())
		if heard := s.HeardDispatchers(); len(heard) > 0 {
			out = append(out, view.Text(w, theme.Warn, part.Clean(heard[0])+" keeps a cluster on this network. This one will be apart from it; to join that one: "+view.Keys.Of(scene.InWelcome, "join")+".")...)
		} else {
			text := "No other dispatcher was heard."
			if member {
				text = "This node is a member of a cluster, whose dispatcher is not heard. Promoted, it begins a queue of its own."
			}
			out = append(out, view.Text(w, theme.Muted, text)...)
		}
		return append(out, view.SameAs(w, q.same))
	}
	q.buttons = []choice{{label: "Promote", action: "dialog.yes", do: func(view *scene.Scene) { promote(view, false, then) }}, {label: "Not now"}}
	if member { // a second queue in a cluster that has one is nothing to fall into
		q.focus = 1
	}
	return q
}

// newTakeOver forces this node to dispatch although the other may live.
func newTakeOver(view *scene.Scene) scene.Dialog {
	d := view.Facts().Status.Dispatcher
	return &typedDialog{
		title: "Take over from " + d + "?", label: "Type " + d + " to take over from it", want: d, same: "octaskly promote --force",
		lines: func(view *scene.Scene, w int) []string {
			return view.Text(w, theme.Text, d+" does not answer from here. If it still works elsewhere, there will be two queues.",
				"Tasks that may have started there stay lost until their node reports, or you rerun them.")
		},
		do: func(view *scene.Scene) { promote(view, true, nil) },
	}
}

func promote(view *scene.Scene, force bool, then func(*scene.Scene)) {
	scene.Do(view, scene.About{What: "promote", Harm: force}, func(ctx context.Context, c control.Control) (control.Status, error) {
		return c.Promote(ctx, control.PromoteRequest{Force: force})
	}, func(_ control.Status, err error) {
		if err != nil {
			view.Fail("promote", err)
			return
		}
		view.Say(theme.OK, "You are the dispatcher. n runs your first task.")
		if then != nil {
			then(view)
		}
	})
	view.Say(theme.Muted, "becoming the dispatcher …")
}

// needDispatcher runs do now, or after this node was made the dispatcher. While
// there is one that does not answer it does neither.
func needDispatcher(view *scene.Scene, do func(*scene.Scene)) {
	if s := view.Facts(); s.Status.Dispatcher == "" && s.Link.State == scene.Live {
		view.Open(promoteHere(s.Status.Self.Name, s.Status.Cluster != "", do))
		return
	} else if s.Link.State == scene.Gone {
		who := s.Status.Dispatcher
		if who == "" {
			who = "the node"
		}
		view.Say(theme.Err, "nothing was sent: "+who+" does not answer")
		return
	}
	do(view)
}
