package part

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/adauldev/octaskly/theme"
)

// Line builds one line of a fixed width. Everything that is drawn goes
// through it: text is cleaned, cut at the right edge and painted, so a line
// can neither overflow nor carry a control byte that is not ours.
type Line struct {
	s    *theme.Styles
	b    strings.Builder
	w    int // cells used
	max  int
	full bool // something was cut
}

// NewLine starts a line of width cells.
func NewLine(s *theme.Styles, width int) *Line {
	l := &Line{s: s, max: max(width, 0)}
	l.b.Grow(width + 64)
	return l
}

// take cleans text and cuts it to what is left, with an ellipsis.
func (l *Line) take(text string) string {
	if l.full || text == "" {
		return ""
	}
	left := l.max - l.w
	if len(text) > 8*left+64 { // no cell needs more bytes; the rest cannot be seen
		text = text[:8*left+64]
	}
	text = Clean(text)
	w := Width(text)
	if w > left {
		l.full = true
		text = cutPlain(text, left, l.s.Glyphs.Ellipsis)
		w = Width(text)
	}
	l.w += w
	return text
}

func cutPlain(text string, w int, tail string) string {
	if w <= 0 {
		return ""
	}
	if printable(text) {
		return text[:w-1] + tail
	}
	return ansi.Truncate(text, w, tail)
}

// T adds painted text.
func (l *Line) T(t theme.Token, text string) *Line {
	l.b.WriteString(l.s.Paint(t, l.take(text)))
	return l
}

// B adds painted text in bold.
func (l *Line) B(t theme.Token, text string) *Line {
	l.b.WriteString(l.s.Bold(t, l.take(text)))
	return l
}

// Rev adds text in reverse.
func (l *Line) Rev(t theme.Token, text string) *Line {
	l.b.WriteString(l.s.Reverse(t, l.take(text)))
	return l
}

// Badge adds a badge: text on the token's colour.
func (l *Line) Badge(t theme.Token, text string) *Line {
	if text = Clean(text); Width(text)+2 > l.max-l.w {
		return l.B(t, text)
	}
	l.w += Width(text) + 2
	l.b.WriteString(l.s.Badge(t, text))
	return l
}

// Raw adds a piece that is already painted and clean.
func (l *Line) Raw(styled string) *Line {
	w := Width(styled)
	if left := l.max - l.w; w > left {
		styled = ansi.Truncate(styled, left, "")
		w = Width(styled)
		l.full = true
	}
	l.w += w
	l.b.WriteString(styled)
	return l
}

// Sp adds n blanks.
func (l *Line) Sp(n int) *Line {
	n = min(n, l.max-l.w)
	l.b.WriteString(spaces(n))
	l.w += max(n, 0)
	return l
}

// To pads up to column col, which is counted from 0.
func (l *Line) To(col int) *Line { return l.Sp(col - l.w) }

// Cell adds text cut and padded to exactly w cells.
func (l *Line) Cell(t theme.Token, text string, w int, right bool) *Line {
	w = min(w, l.max-l.w)
	if w <= 0 {
		return l
	}
	c := NewLine(l.s, w)
	text = c.take(text)
	if right {
		l.Sp(w - c.w)
		l.b.WriteString(l.s.Paint(t, text))
		l.w += c.w
		return l
	}
	l.b.WriteString(l.s.Paint(t, text))
	l.w += c.w
	return l.Sp(w - c.w)
}

// Left is how many cells are free.
func (l *Line) Left() int { return l.max - l.w }

// Used is how many cells are taken.
func (l *Line) Used() int { return l.w }

// End puts another line's content at the right edge, if it still fits.
func (l *Line) End(r *Line) *Line {
	if r.w > l.Left() {
		return l
	}
	l.Sp(l.Left() - r.w)
	l.b.WriteString(r.b.String())
	l.w += r.w
	return l
}

// Add puts another line's content behind this one's.
func (l *Line) Add(r *Line) *Line { return l.Raw(r.b.String()) }

// String is the line, padded to its width.
func (l *Line) String() string { return l.b.String() + spaces(l.max-l.w) }

// Blank is n empty lines of width w.
func Blank(w, n int) []string {
	if n <= 0 {
		return nil
	}
	lines := make([]string, n)
	for i := range lines {
		lines[i] = spaces(w)
	}
	return lines
}

// Tall cuts or pads a block of lines of width w to exactly h.
func Tall(lines []string, w, h int) []string {
	if h <= 0 {
		return nil
	}
	if len(lines) >= h {
		return lines[:h]
	}
	return append(lines, Blank(w, h-len(lines))...)
}

// Beside puts blocks of the same height next to each other.
func Beside(blocks ...[]string) []string {
	if len(blocks) == 0 {
		return nil
	}
	out := make([]string, len(blocks[0]))
	for i := range out {
		var b strings.Builder
		for _, blk := range blocks {
			if i < len(blk) {
				b.WriteString(blk[i])
			}
		}
		out[i] = b.String()
	}
	return out
}
