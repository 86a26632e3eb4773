package part

import (
	"math"
	"strings"

	"github.com/adauldev/octaskly/theme"
)

// Bar adds a bar of w cells that is full to the given percentage, in the
// colour of the load it shows.
func (l *Line) Bar(percent float64, w int) *Line {
	return l.BarIn(theme.Ramp(percent), percent, w)
}

// BarIn is Bar in a colour of the caller's choice.
func (l *Line) BarIn(t theme.Token, percent float64, w int) *Line {
	w = min(w, l.Left())
	if w <= 0 {
		return l
	}
	full := int(math.Round(clamp01(percent/100) * float64(w)))
	if percent > 0 && full == 0 {
		full = 1
	}
	l.b.WriteString(l.s.Paint(t, strings.Repeat(l.s.Glyphs.Full, full)))
	rest := l.s.Glyphs.Empty
	if l.s.Depth <= theme.Mono {
		rest = l.s.Glyphs.Hollow
	}
	l.b.WriteString(l.s.Paint(theme.Track, strings.Repeat(rest, w-full)))
	l.w += w
	return l
}

func clamp01(x float64) float64 {
	if !(x > 0) { // also NaN
		return 0
	}
	return math.Min(x, 1)
}

// Spark adds a history as rising blocks, newest at the right. Values are
// percentages; missing ones are blank.
func (l *Line) Spark(values []float64, w int) *Line {
	w = min(w, l.Left())
	if w <= 0 {
		return l
	}
	if len(values) > w {
		values = values[len(values)-w:]
	}
	l.Sp(w - len(values))
	steps := l.s.Glyphs.Eighths
	for _, v := range values {
		i := min(len(steps)-1, int(clamp01(v/100)*float64(len(steps))))
		l.b.WriteString(l.s.Paint(theme.Ramp(v), steps[i]))
	}
	l.w += len(values)
	return l
}

// Graph is how an area chart is drawn.
type Graph uint8

// The kinds of graph.
const (
	Braille Graph = iota // two samples a cell, four levels a row
	Blocks               // one sample a cell, eight levels a row
)

// Area draws values as a filled area of w by h cells, newest at the right,
// 0 at the bottom and top at the top.
func Area(s *theme.Styles, g Graph, values []float64, top float64, w, h int) []string {
	if w <= 0 || h <= 0 {
		return nil
	}
	per, levels := 2, 4
	if g == Blocks || s.Glyphs.ASCII {
		per, levels = 1, len(s.Glyphs.Eighths)
	}
	heights := make([]int, w*per)
	if len(values) > len(heights) {
		values = values[len(values)-len(heights):]
	}
	off := len(heights) - len(values)
	for i, v := range values {
		heights[off+i] = int(math.Ceil(clamp01(v/math.Max(top, 1e-9)) * float64(h*levels)))
	}
	out := make([]string, h)
	for row := range out {
		floor := (h - 1 - row) * levels
		var b strings.Builder
		for x := 0; x < w; x++ {
			if per == 2 {
				b.WriteRune(brailleCell(heights[2*x]-floor, heights[2*x+1]-floor))
			} else {
				b.WriteString(blockCell(s, heights[x]-floor))
			}
		}
		tok := theme.Load1 + theme.Token(min(4, (h-1-row)*5/h))
		out[row] = s.Paint(tok, b.String())
	}
	return out
}

func brailleCell(left, right int) rune {
	l := [5]rune{0, 0x40, 0x44, 0x46, 0x47}
	r := [5]rune{0, 0x80, 0xa0, 0xb0, 0xb8}
	c := l[min(4, max(0, left))] | r[min(4, max(0, right))]
	if c == 0 {
		return ' '
	}
	return 0x2800 + c
}

func blockCell(s *theme.Styles, n int) string {
	if n <= 0 {
		return " "
	}
	return s.Glyphs.Eighths[min(n, len(s.Glyphs.Eighths))-1]
}

// NiceTop is the top of a scale that shows values up to v: 1, 2 or 5 times a
// power of ten.
func NiceTop(v float64) float64 {
	if !(v > 0) || math.IsInf(v, 0) {
		return 1
	}
	p := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5, 10} {
		if v <= m*p {
			return m * p
		}
	}
	return 10 * p
}
