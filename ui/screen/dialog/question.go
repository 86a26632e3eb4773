package dialog

import (
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// question is a dialog with buttons. The focus starts where Enter is safe.
type question struct {
	title   string
	lines   func(view *scene.Scene, w int) []string
	buttons []choice
	focus   int
	wide    int // preferred width; 0 is 60
	same    string
	refresh func(view *scene.Scene, q *question)
	needs   func(w *scene.Want)
	self    scene.Dialog            // what it is part of, if it is
	closed  func(view *scene.Scene) // when it is closed without a choice
}

// me is what is open.
func (q *question) me() scene.Dialog {
	if q.self != nil {
		return q.self
	}
	return q
}

// choice is one button and what it does. Its key presses it, or, if it does
// harm, only marks it, so that harm takes three acts: the key that opens the
// dialog, the choice, and Enter.
type choice struct {
	label  string
	action scene.Action // the action of the key table that presses it
	harm   bool
	do     func(view *scene.Scene)
}

func (q *question) In() scene.Ctx { return scene.InDialog }

func (q *question) See(view *scene.Scene) {
	if q.refresh != nil {
		q.refresh(view, q)
	}
}

func (q *question) Want(w *scene.Want) {
	if q.needs != nil {
		q.needs(w)
	}
}

func (q *question) Command(*scene.Scene) string { return q.same }

func (q *question) Act(view *scene.Scene, action scene.Action) {
	n := max(1, len(q.buttons))
	switch action {
	case "pane.next", "right", "down":
		q.focus = (q.focus + 1) % n
	case "pane.back", "left", "up":
		q.focus = (q.focus + n - 1) % n
	case "dialog.close":
		q.press(view, choice{do: q.closed})
	case "dialog.enter":
		if q.focus < len(q.buttons) {
			q.press(view, q.buttons[q.focus])
		}
	default:
		for i, b := range q.buttons {
			if b.action != action {
				continue
			}
			if q.focus = i; !b.harm { // harm takes Enter as well
				q.press(view, b)
			}
			return
		}
	}
}

// press does what a button says, whatever way it was pressed.
func (q *question) press(view *scene.Scene, b choice) {
	view.Close(q.me())
	if b.do != nil {
		b.do(view)
	}
}

func (q *question) Draw(view *scene.Scene, w, h int) []string {
	d, w := q.dialog(view, w)
	return d.Draw(view.Styles, w, h)
}

// dialog is what is drawn, and how wide.
func (q *question) dialog(view *scene.Scene, w int) (part.Dialog, int) {
	want := q.wide
	if want == 0 {
		want = 60
	}
	w = min(w, want)
	d := part.Dialog{Title: q.title, Lines: q.lines(view, max(0, w-4)), Focus: q.focus}
	for _, b := range q.buttons {
		d.Buttons = append(d.Buttons, part.Button{Label: b.label, Key: view.Keys.Of(scene.InDialog, b.action), Harm: b.harm})
	}
	return d, w
}

// Click presses a button, or, if it does harm, only marks it, as its key does.
// A button that is marked is pressed by the next click.
func (q *question) Click(view *scene.Scene, w, h, x, y int) {
	d, w := q.dialog(view, w)
	i := d.At(w, h, x, y)
	if i < 0 {
		return
	}
	if b := q.buttons[i]; !b.harm || q.focus == i {
		q.focus = i
		q.press(view, b)
		return
	}
	q.focus = i
}

func (q *question) Foot(view *scene.Scene) []scene.Hint {
	var out []scene.Hint
	for i, b := range q.buttons {
		k := view.Keys.Of(scene.InDialog, b.action)
		if k == "" {
			continue
		}
		if b.harm && i == q.focus {
			continue // enter is all that is missing
		}
		if b.harm {
			k += " enter"
		}
		out = append(out, scene.Hint{Key: k, Text: scene.Lower(b.label)})
	}
	if q.focus < len(q.buttons) {
		out = append(out, scene.Hint{Key: "enter", Text: scene.Lower(q.buttons[q.focus].label)})
	}
	if q.closed == nil {
		out = append(out, scene.Hint{Key: "esc", Text: "close"})
	} else if q.focus > 0 {
		out = append(out, scene.Hint{Key: "esc", Text: scene.Lower(q.buttons[0].label)})
	}
	if q.same != "" {
		out = append(out, scene.Hint{Key: view.Keys.Of(scene.InDialog, "copy.command"), Text: "copy as command"})
	}
	return out
}

func (q *question) Harms(action scene.Action) bool {
	for i, b := range q.buttons {
		if b.harm && action == "dialog.enter" && i == q.focus {
			return true
		}
	}
	return false
}

// NewText shows a text whole.
func NewText(title, text, same string) scene.Dialog {
	q := &question{title: title, wide: 72, buttons: []choice{{label: "Close"}}, same: same}
	q.lines = func(view *scene.Scene, w int) []string { return view.Text(w, theme.Text, text) }
	return q
}
