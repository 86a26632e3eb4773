package part

import (
	"strings"

	"github.com/adauldev/octaskly/theme"
)

// Box is a bordered pane. Its title and remark are drawn on the top border.
type Box struct {
	Title  string
	Remark string // at the right end of the top border
	Foot   string // at the right end of the bottom border
	Focus  bool   // heavy border in the focus colour
	Scroll Scroll // thumb on the right border
	Dim    bool
}

// Scroll is where a window stands in a list. Total 0 draws nothing.
type Scroll struct{ First, Shown, Total int }

// thumb is the rows [from, to) of a track of h cells that the window takes.
func (s Scroll) thumb(h int) (from, to int) {
	if s.Total <= s.Shown || s.Shown <= 0 || h <= 0 {
		return 0, 0
	}
	size := max(1, h*s.Shown/s.Total)
	from = (h - size) * min(s.First, s.Total-s.Shown) / max(1, s.Total-s.Shown)
	return max(0, from), max(0, from) + size
}

// Inner is how many cells remain inside a box of w by h.
func Inner(w, h int) (int, int) { return max(0, w-2), max(0, h-2) }

// Draw puts lines, each as wide as Inner says, in a box of exactly w by h.
func (x Box) Draw(s *theme.Styles, w, h int, lines []string) []string {
	if w < 4 || h < 2 {
		return Tall(nil, max(w, 0), h)
	}
	b, tok := s.Glyphs.Light, theme.Faint
	if x.Focus {
		b, tok = s.Glyphs.Heavy, theme.Focus
	}
	iw, ih := Inner(w, h)
	lines = Tall(lines, iw, ih)
	out := make([]string, 0, h)
	out = append(out, x.top(s, b, tok, w))
	left, right := s.Paint(tok, b.L), s.Paint(tok, b.R)
	from, to := x.Scroll.thumb(ih)
	thumb := s.Paint(theme.Muted, s.Glyphs.Thumb)
	if x.Focus {
		thumb = s.Paint(theme.Focus, s.Glyphs.Thumb)
	}
	for i, ln := range lines {
		edge := right
		if i >= from && i < to {
			edge = thumb
		}
		out = append(out, left+ln+edge)
	}
	return append(out, x.bottom(s, b, tok, w))
}

func (x Box) top(s *theme.Styles, b theme.Border, tok theme.Token, w int) string {
	title, remark := Clean(x.Title), Clean(x.Remark)
	room := w - 4
	if Width(title) > room-2 {
		title = cutPlain(title, room-2, s.Glyphs.Ellipsis)
	}
	used := 0
	var l strings.Builder
	l.WriteString(s.Paint(tok, b.TL+b.T))
	if title != "" {
		titleTok := theme.Text
		if x.Focus {
			titleTok = theme.Focus
		}
		l.WriteString(" " + s.Bold(titleTok, title) + " ")
		used += Width(title) + 2
	}
	if remark != "" && used+Width(remark)+3 > room {
		remark = cutPlain(remark, max(0, room-used-3), s.Glyphs.Ellipsis)
		if Width(remark) < 4 {
			remark = ""
		}
	}
	rest := room - used
	if remark != "" {
		rest -= Width(remark) + 2
	}
	l.WriteString(s.Paint(tok, strings.Repeat(b.T, max(0, rest))))
	if remark != "" {
		l.WriteString(" " + s.Paint(theme.Muted, remark) + " ")
	}
	l.WriteString(s.Paint(tok, b.T+b.TR))
	return l.String()
}

func (x Box) bottom(s *theme.Styles, b theme.Border, tok theme.Token, w int) string {
	foot := Clean(x.Foot)
	if foot == "" || Width(foot)+6 > w {
		return s.Paint(tok, b.BL+strings.Repeat(b.B, w-2)+b.BR)
	}
	return s.Paint(tok, b.BL+strings.Repeat(b.B, w-5-Width(foot))) + " " +
		s.Paint(theme.Muted, foot) + " " + s.Paint(tok, b.B+b.BR)
}

// Over lays a box over a dimmed screen of width w, in the middle or at x, y
// when they are not negative.
func Over(s *theme.Styles, back, box []string, w int) []string {
	bw := 0
	if len(box) > 0 {
		bw = Width(box[0])
	}
	x, y := max(0, (w-bw)/2), max(0, (len(back)-len(box))/2)
	out := make([]string, len(back))
	for i, ln := range back {
		plain := stripPlain(ln)
		if i < y || i >= y+len(box) {
			out[i] = s.Paint(theme.Faint, plain)
			continue
		}
		left := Fit(Cut(plain, 0, x), x)
		right := Fit(Cut(plain, x+bw, w-x-bw), w-x-bw)
		out[i] = s.Paint(theme.Faint, left) + box[i-y] + s.Paint(theme.Faint, right)
	}
	return out
}

// stripPlain drops the escape codes of a line that we drew.
func stripPlain(s string) string {
	if strings.IndexByte(s, 0x1b) < 0 {
		return s
	}
	return Clean(s)
}
