package dialog

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// typedDialog does something only after the right words were typed.
type typedDialog struct {
	title, label string
	want         string // what must be typed; empty takes anything
	same         string
	lines        func(view *scene.Scene, w int) []string
	do           func(view *scene.Scene)
	take         func(view *scene.Scene, d *typedDialog, text string) // instead of want and do
	field        *part.Field
	busy         bool
	wait         string // said while busy, beside that it asks
}

func (d *typedDialog) In() scene.Ctx { return scene.InTyped }

func (d *typedDialog) input() *part.Field {
	if d.field == nil {
		d.field = part.NewField(d.label, "", "", 128)
	}
	return d.field
}

func (d *typedDialog) Key(_ *scene.Scene, k tea.KeyMsg) { d.input().Key(k) }

func (d *typedDialog) Command(*scene.Scene) string { return d.same }

func (d *typedDialog) Act(view *scene.Scene, action scene.Action) {
	switch action {
	case "field.close":
		view.Close(d)
	case "field.accept":
		text := strings.TrimSpace(d.input().Value())
		switch {
		case d.busy:
		case d.take != nil:
			d.take(view, d, text)
		case text != d.want:
			d.field.Fault = "that is not " + d.want + "; nothing was done"
		default:
			view.Close(d)
			d.do(view)
		}
	}
}

func (d *typedDialog) Draw(view *scene.Scene, w, h int) []string {
	w = min(w, 70)
	iw := max(0, w-4)
	lines := view.Text(iw, theme.Muted, d.label)
	row := part.NewLine(view.Styles, iw).B(theme.Focus, "> ")
	d.input().Draw(row, max(4, iw-2), true)
	lines = append(lines, row.String())
	switch {
	case d.busy:
		lines = append(lines, part.NewLine(view.Styles, iw).T(theme.Muted, "asking … "+d.wait).String())
	case d.field.Fault != "":
		lines = append(lines, view.Text(iw, theme.Err, d.field.Fault)...)
	}
	// Where there is little room, what explains gives way to what is typed.
	room, about := h-4-len(lines), d.lines(view, iw)
	if room > len(about) {
		about = append(about, part.NewLine(view.Styles, iw).String())
	}
	lines = append(about[:max(0, min(room, len(about)))], lines...)
	if d.same != "" && len(lines) < h-5 {
		lines = append(lines, part.NewLine(view.Styles, iw).String(), view.SameAs(iw, d.same))
	}
	return part.Dialog{Title: d.title, Lines: lines, Focus: -1}.Draw(view.Styles, w, h)
}

func (d *typedDialog) Foot(view *scene.Scene) []scene.Hint {
	out := []scene.Hint{{Key: "enter", Text: "when it is typed"}, {Key: "esc", Text: "close, nothing is done"}}
	if d.same != "" {
		out = append(out, scene.Hint{Key: view.Keys.Of(scene.InTyped, "field.copy"), Text: "copy as command"})
	}
	return out
}
