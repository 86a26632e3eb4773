package screen

import (
	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/ui/part"
)

// overlay is something over the panes that takes all keys.
type overlay interface {
	in() Ctx
	// act does what a key of the table means here.
	act(m *Model, action string)
	// draw makes a box at most w by h.
	draw(m *Model, w, h int) []string
}

// typed is an overlay that also takes keys as text.
type typed interface {
	key(m *Model, k tea.KeyMsg)
}

// watcher is told when the facts change.
type watcher interface{ see(m *Model) }

// wanter needs facts of its own.
type wanter interface{ want(w *Want) }

// footed says what its footer shows; others have the dialog's.
type footed interface{ foot(m *Model) []hint }

// commander knows the command line that does the same.
type commander interface{ command(m *Model) string }

func (m *Model) open(o overlay) {
	m.overlays = append(m.overlays, o)
	if w, ok := o.(watcher); ok {
		w.see(m)
	}
}

// closeIt takes away one overlay, wherever it is.
func (m *Model) closeIt(o overlay) {
	for i, x := range m.overlays {
		if x == o {
			m.overlays = append(m.overlays[:i:i], m.overlays[i+1:]...)
			break
		}
	}
	m.settle()
}

// isOpen reports whether an overlay is still there.
func (m *Model) isOpen(o overlay) bool {
	for _, x := range m.overlays {
		if x == o {
			return true
		}
	}
	return false
}

// question is a dialog with buttons. The focus starts where Enter is safe.
type question struct {
	title   string
	lines   func(m *Model, w int) []string
	buttons []choice
	focus   int
	wide    int // preferred width; 0 is 60
	same    string
	refresh func(m *Model, q *question)
	needs   func(w *Want)
	self    overlay        // what it is part of, if it is
	closed  func(m *Model) // when it is closed without a choice
}

// me is what is open.
func (q *question) me() overlay {
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
	action string // the action of the key table that presses it
	harm   bool
	do     func(m *Model)
}

func (q *question) in() Ctx { return InDialog }

func (q *question) see(m *Model) {
	if q.refresh != nil {
		q.refresh(m, q)
	}
}

func (q *question) want(w *Want) {
	if q.needs != nil {
		q.needs(w)
	}
}

func (q *question) command(*Model) string { return q.same }

func (q *question) act(m *Model, action string) {
	n := max(1, len(q.buttons))
	switch action {
	case "pane.next", "right", "down":
		q.focus = (q.focus + 1) % n
	case "pane.back", "left", "up":
		q.focus = (q.focus + n - 1) % n
	case "dialog.close":
		q.press(m, choice{do: q.closed})
	case "dialog.enter":
		if q.focus < len(q.buttons) {
			q.press(m, q.buttons[q.focus])
		}
	default:
		for i, b := range q.buttons {
			if b.action != action {
				continue
			}
			if q.focus = i; !b.harm { // harm takes Enter as well
				q.press(m, b)
			}
			return
		}
	}
}

// press does what a button says, whatever way it was pressed.
func (q *question) press(m *Model, b choice) {
	m.closeIt(q.me())
	if b.do != nil {
		b.do(m)
	}
}

func (q *question) draw(m *Model, w, h int) []string {
	d, w := q.dialog(m, w)
	return d.Draw(m.s, w, h)
}

// dialog is what is drawn, and how wide.
func (q *question) dialog(m *Model, w int) (part.Dialog, int) {
	want := q.wide
	if want == 0 {
		want = 60
	}
	w = min(w, want)
	d := part.Dialog{Title: q.title, Lines: q.lines(m, max(0, w-4)), Focus: q.focus}
	for _, b := range q.buttons {
		d.Buttons = append(d.Buttons, part.Button{Label: b.label, Key: m.keys.Of(InDialog, b.action), Harm: b.harm})
	}
	return d, w
}

// clickable overlays have something to click on. A cell is counted from their
// own top left, of a drawing w by h.
type clickable interface {
	click(m *Model, w, h, x, y int)
}

// click presses a button, or, if it does harm, only marks it, as its key does.
// A button that is marked is pressed by the next click.
func (q *question) click(m *Model, w, h, x, y int) {
	d, w := q.dialog(m, w)
	i := d.At(w, h, x, y)
	if i < 0 {
		return
	}
	if b := q.buttons[i]; !b.harm || q.focus == i {
		q.focus = i
		q.press(m, b)
		return
	}
	q.focus = i
}

func (q *question) foot(m *Model) []hint {
	var out []hint
	for i, b := range q.buttons {
		k := m.keys.Of(InDialog, b.action)
		if k == "" {
			continue
		}
		if b.harm && i == q.focus {
			continue // enter is all that is missing
		}
		if b.harm {
			k += " enter"
		}
		out = append(out, hint{k, lower(b.label)})
	}
	if q.focus < len(q.buttons) {
		out = append(out, hint{"enter", lower(q.buttons[q.focus].label)})
	}
	if q.closed == nil {
		out = append(out, hint{"esc", "close"})
	} else if q.focus > 0 {
		out = append(out, hint{"esc", lower(q.buttons[0].label)})
	}
	if q.same != "" {
		out = append(out, hint{m.keys.Of(InDialog, "copy.command"), "copy as command"})
	}
	return out
}
