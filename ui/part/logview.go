package part

import (
	"strings"
	"time"

	"github.com/adauldev/octaskly/theme"
)

// LogView is how a person looks at a log. Its flags are independent of each
// other and of where the view stands.
type LogView struct {
	Follow  bool  // stay at the end
	Wrap    bool  // long lines take several rows
	Times   bool  // show when each line was written
	Only    bool  // with Find: hide lines that do not match
	Stream  uint8 // 0 both, 1 stdout, 2 stderr
	Find    string
	Colors  bool // keep the colours that the task wrote
	Skip    int  // cells scrolled sideways
	top     uint64
	matches int
	rows    []LogLine // what passes the filters, refreshed by look
	seen    lookKey
}

// lookKey is what rows were made from. Versions count from zero in every
// buffer, so a version says nothing without the buffer that it is of.
type lookKey struct {
	buffer  *LogBuffer
	version uint64
	stream  uint8
	only    bool
	find    string
}

// look refreshes the lines that pass the filters.
func (v *LogView) look(b *LogBuffer) {
	key := lookKey{b, b.Stats().Version, v.Stream, v.Only, v.Find}
	if key == v.seen && v.rows != nil {
		return
	}
	v.seen = key
	v.rows = v.rows[:0]
	v.matches = 0
	find := strings.ToLower(v.Find)
	b.Each(func(ln LogLine) bool {
		if v.Stream != 0 && ln.Stream != v.Stream && ln.Stream != 0 {
			return true
		}
		if find != "" {
			hit := strings.Contains(strings.ToLower(ln.Text), find)
			if hit {
				v.matches++
			} else if v.Only {
				return true
			}
		}
		v.rows = append(v.rows, ln)
		return true
	})
}

// at is the index of the first shown line.
func (v *LogView) at(h int) int {
	last := max(0, len(v.rows)-h)
	if v.Wrap { // a wrapped line may fill the pane by itself
		last = max(0, len(v.rows)-1)
	}
	if v.Follow {
		return max(0, len(v.rows)-h)
	}
	for i, ln := range v.rows {
		if ln.Seq >= v.top {
			return min(i, last)
		}
	}
	return last
}

// Move scrolls by n lines in a pane h high. Moving up stops following; moving
// down to the end does not start it.
func (v *LogView) Move(b *LogBuffer, n, h int) {
	v.look(b)
	i := v.at(h) + n
	if n < 0 {
		v.Follow = false
	}
	v.goTo(i, h)
}

func (v *LogView) goTo(i, h int) {
	last := max(0, len(v.rows)-h)
	i = min(max(0, i), last)
	if i < len(v.rows) {
		v.top = v.rows[i].Seq
	}
}

// First goes to the oldest kept line; Last to the newest, and follows.
func (v *LogView) First() { v.Follow, v.top = false, 0 }

// Last goes to the end and follows.
func (v *LogView) Last() { v.Follow = true }

// SetFollow turns following on or off; turned off, the view stays where it is.
func (v *LogView) SetFollow(b *LogBuffer, on bool, h int) {
	if !on {
		v.look(b)
		v.goTo(v.at(h), h)
	}
	v.Follow = on
}

// Next goes to the next match below the top line, or above it when back is
// set, and reports whether there is one.
func (v *LogView) Next(b *LogBuffer, back bool, h int) bool {
	if v.Find == "" {
		return false
	}
	v.look(b)
	find, i := strings.ToLower(v.Find), v.at(h)
	step := 1
	if back {
		step = -1
	}
	for j := i + step; j >= 0 && j < len(v.rows); j += step {
		if strings.Contains(strings.ToLower(v.rows[j].Text), find) {
			v.Follow = false
			v.top = v.rows[j].Seq
			return true
		}
	}
	return false
}

// Matches is how many kept lines match, as of the last drawing.
func (v *LogView) Matches() int { return v.matches }

// Visible is the shown lines as plain text, for copying.
func (v *LogView) Visible(b *LogBuffer, h int) []string {
	v.look(b)
	var out []string
	for i := v.at(h); i < len(v.rows) && len(out) < h; i++ {
		out = append(out, Clean(v.rows[i].Text))
	}
	return out
}

// Range is the first and last shown line and how many there are.
func (v *LogView) Range(b *LogBuffer, h int) (first, last, total int) {
	v.look(b)
	i := v.at(h)
	return min(i+1, len(v.rows)), min(i+h, len(v.rows)), len(v.rows)
}

// Draw makes exactly h lines of exactly w cells.
func (v *LogView) Draw(s *theme.Styles, b *LogBuffer, w, h int) []string {
	v.look(b)
	out := make([]string, 0, h)
	i := v.at(h)
	if v.Wrap && v.Follow {
		i = v.wrapStart(w, h)
	}
	for ; i < len(v.rows) && len(out) < h; i++ {
		out = v.row(s, out, v.rows[i], w, h)
	}
	return Tall(out, w, h)
}

// wrapStart is the first line such that the wrapped rest just fills the pane.
func (v *LogView) wrapStart(w, h int) int {
	used, i := 0, len(v.rows)
	body := max(1, w-v.gutter())
	for i > 0 {
		used += max(1, (Width(Clean(v.rows[i-1].Text))+body-1)/body)
		if used > h {
			break
		}
		i--
	}
	return min(i, max(0, len(v.rows)-1))
}

func (v *LogView) gutter() int {
	n := 3
	if v.Times {
		n += 9
	}
	return n
}

func (v *LogView) row(s *theme.Styles, out []string, ln LogLine, w, h int) []string {
	text := v.paint(s, ln)
	body := max(1, w-v.gutter())
	skip := v.Skip
	if v.Wrap {
		skip = 0
	}
	for first := true; first || v.Wrap && Width(text) > skip && len(out) < h; first = false {
		l := NewLine(s, w)
		v.mark(l, ln, first)
		l.Raw(Cut(text, skip, body))
		out = append(out, l.String())
		skip += body
	}
	return out
}

// mark draws what is before the text: the time and which stream it was.
func (v *LogView) mark(l *Line, ln LogLine, first bool) {
	if v.Times {
		t := ""
		if first && ln.Time > 0 {
			t = time.UnixMilli(ln.Time).Format("15:04:05")
		}
		l.Cell(theme.Muted, t, 9, false)
	}
	switch {
	case !first:
		l.T(theme.Faint, "   ")
	case ln.Stream == 2:
		l.T(theme.Warn, "2! ")
	case ln.Stream == 0:
		l.T(theme.Muted, "-- ")
	default:
		l.Sp(3)
	}
}

func (v *LogView) paint(s *theme.Styles, ln LogLine) string {
	if v.Find != "" {
		return highlight(s, Clean(ln.Text), v.Find)
	}
	if ln.Stream == 0 {
		return s.Paint(theme.Muted, Clean(ln.Text))
	}
	if v.Colors && s.Depth > theme.Mono {
		return CleanColor(ln.Text)
	}
	return Clean(ln.Text)
}

// highlight marks every match in clean text.
func highlight(s *theme.Styles, text, find string) string {
	low, want := strings.ToLower(text), strings.ToLower(Clean(find))
	if want == "" || len(low) != len(text) { // lower case moved the bytes
		return text
	}
	var b strings.Builder
	for {
		i := strings.Index(low, want)
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:i])
		b.WriteString(s.Reverse(theme.Warn, text[i:i+len(want)]))
		text, low = text[i+len(want):], low[i+len(want):]
	}
}
