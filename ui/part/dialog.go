package part

import "github.com/adauldev/octaskly/theme"

// Button is a choice in a dialog.
type Button struct {
	Label string
	Key   string // the key that presses it at once; empty if only the focus does
	Harm  bool   // pressing it cannot be undone
}

// Dialog is a heavy box with lines and a row of buttons. It draws; whoever
// opens it decides what the buttons do.
type Dialog struct {
	Title   string
	Remark  string
	Lines   []string // each exactly Inner wide
	Buttons []Button
	Focus   int // index of the focused button; -1 none
}

// Draw makes a box w cells wide and as high as it needs, at most h.
func (d Dialog) Draw(s *theme.Styles, w, h int) []string {
	iw := max(0, w-4)
	body := make([]string, 0, len(d.Lines)+4)
	body = append(body, "")
	body = append(body, d.Lines...)
	if len(d.Buttons) > 0 {
		body = append(body, "", d.buttons(s, iw))
	}
	body = append(body, "")
	if len(body) > h-2 { // lines go before buttons do
		keep := max(0, h-2-2)
		tail := body[len(body)-2:]
		body = append(append([]string{}, body[:min(keep, len(body)-2)]...), tail...)
	}
	lines := make([]string, len(body))
	for i, ln := range body {
		lines[i] = " " + Fit(ln, iw) + " "
	}
	return Box{Title: d.Title, Remark: d.Remark, Focus: true}.Draw(s, w, min(h, len(lines)+2), lines)
}

// apart is how many columns are between two buttons.
const apart = 3

func (b Button) text() string {
	if b.Key != "" {
		return "[ " + b.Key + "  " + b.Label + " ]"
	}
	return "[ " + b.Label + " ]"
}

// At is the button that a cell of the drawn dialog, w cells wide and h lines
// high, belongs to; -1 is none.
func (d Dialog) At(w, h, x, y int) int {
	if len(d.Buttons) == 0 || y != h-3 {
		return -1
	}
	used := apart * (len(d.Buttons) - 1)
	for _, b := range d.Buttons {
		used += Width(b.text())
	}
	x -= 2 + max(0, (max(0, w-4)-used)/2)
	for i, b := range d.Buttons {
		n := Width(b.text())
		if x >= 0 && x < n {
			return i
		}
		x -= n + apart
	}
	return -1
}

func (d Dialog) buttons(s *theme.Styles, w int) string {
	row := NewLine(s, 4096)
	for i, b := range d.Buttons {
		if i > 0 {
			row.Sp(apart)
		}
		text := b.text()
		tok := theme.Text
		if b.Harm {
			tok = theme.Err
		}
		switch {
		case i == d.Focus:
			if !b.Harm {
				tok = theme.Focus
			}
			row.Rev(tok, text)
		default:
			row.T(tok, text)
		}
	}
	used := row.Used()
	l := NewLine(s, w).Sp(max(0, (w-used)/2))
	return l.Raw(row.b.String()).String()
}
