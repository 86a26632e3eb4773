package screen

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// typedDialog does something only after the right words were typed.
type typedDialog struct {
	title, label string
	want         string // what must be typed; empty takes anything
	same         string
	lines        func(m *Model, w int) []string
	do           func(m *Model)
	take         func(m *Model, d *typedDialog, text string) // instead of want and do
	field        *part.Field
	busy         bool
	wait         string // said while busy, beside that it asks
}

func (d *typedDialog) in() Ctx { return InTyped }

func (d *typedDialog) input() *part.Field {
	if d.field == nil {
		d.field = part.NewField(d.label, "", "", 128)
	}
	return d.field
}

func (d *typedDialog) key(_ *Model, k tea.KeyMsg) { d.input().Key(k) }

func (d *typedDialog) command(*Model) string { return d.same }

func (d *typedDialog) act(m *Model, action string) {
	switch action {
	case "field.close":
		m.closeIt(d)
	case "field.accept":
		text := strings.TrimSpace(d.input().Value())
		switch {
		case d.busy:
		case d.take != nil:
			d.take(m, d, text)
		case text != d.want:
			d.field.Fault = "that is not " + d.want + "; nothing was done"
		default:
			m.closeIt(d)
			d.do(m)
		}
	}
}

func (d *typedDialog) draw(m *Model, w, h int) []string {
	w = min(w, 70)
	iw := max(0, w-4)
	lines := m.text(iw, theme.Muted, d.label)
	row := part.NewLine(m.s, iw).B(theme.Focus, "> ")
	d.input().Draw(row, max(4, iw-2), true)
	lines = append(lines, row.String())
	switch {
	case d.busy:
		lines = append(lines, part.NewLine(m.s, iw).T(theme.Muted, "asking … "+d.wait).String())
	case d.field.Fault != "":
		lines = append(lines, m.text(iw, theme.Err, d.field.Fault)...)
	}
	// Where there is little room, what explains gives way to what is typed.
	room, about := h-4-len(lines), d.lines(m, iw)
	if room > len(about) {
		about = append(about, part.NewLine(m.s, iw).String())
	}
	lines = append(about[:max(0, min(room, len(about)))], lines...)
	if d.same != "" && len(lines) < h-5 {
		lines = append(lines, part.NewLine(m.s, iw).String(), m.same(iw, d.same))
	}
	return part.Dialog{Title: d.title, Lines: lines, Focus: -1}.Draw(m.s, w, h)
}

func (d *typedDialog) foot(m *Model) []hint {
	out := []hint{{"enter", "when it is typed"}, {"esc", "close, nothing is done"}}
	if d.same != "" {
		out = append(out, hint{m.keys.Of(InTyped, "field.copy"), "copy as command"})
	}
	return out
}

// wrapWords breaks clean text at blanks to lines of at most w cells.
func wrapWords(text string, w int) []string {
	if w < 1 {
		return nil
	}
	var out []string
	line := ""
	for _, word := range strings.Fields(text) {
		for part.Width(word) > w { // a word that is wider than the line
			if line != "" {
				out = append(out, line)
				line = ""
			}
			head := part.Cut(word, 0, w)
			if head == "" { // not even one letter fits
				word = ""
				break
			}
			out = append(out, head)
			word = strings.TrimPrefix(word, head)
		}
		switch {
		case word == "":
		case line == "":
			line = word
		case part.Width(line)+1+part.Width(word) > w:
			out = append(out, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(out, line)
}
