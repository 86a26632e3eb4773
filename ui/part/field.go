package part

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/theme"
)

// Field is text that a person edits: one line, or, if Multiline is set, any
// text, kept rune by rune as it was typed or pasted.
type Field struct {
	Label     string
	Note      string // what may be typed here
	Fault     string // what is wrong with what was typed; empty is nothing
	Multiline bool   // line breaks, tabs and control characters are text

	input    textinput.Model // holds the encoded text
	replaced bool            // the next character replaces everything
	limit    int             // runes that a person may type; Set is not limited
}

// NewField makes a field of one line into which at most limit characters can
// be typed.
func NewField(label, note, value string, limit int) *Field {
	f := &Field{Label: label, Note: note, input: textinput.New(), limit: limit}
	f.input.Prompt = ""
	f.input.Focus()
	f.Set(value)
	return f
}

// The text input of the library drops control characters and turns line breaks
// and tabs into blanks. Here they live as characters of the first private
// plane, and those of that plane in the second, so that every text comes out
// as it went in.
const (
	privatePlane = 0xF0000
	secondPlane  = 0x100000
)

func encodeRune(r rune) rune {
	switch {
	case r < 0x20 || r >= 0x7f && r < 0xa0 || r == utf8.RuneError:
		return privatePlane + r
	case r >= privatePlane && r < secondPlane:
		return r + (secondPlane - privatePlane)
	}
	return r
}

func decodeRune(r rune) rune {
	switch {
	case r >= privatePlane && r < secondPlane:
		return r - privatePlane
	case r >= secondPlane:
		return r - (secondPlane - privatePlane)
	}
	return r
}

// Suggest fills the field with a value that the first typed character replaces.
func (f *Field) Suggest(value string) {
	f.Set(value)
	f.replaced = true
}

// Select makes the next typed character replace what is there; moving the
// cursor keeps it.
func (f *Field) Select() { f.replaced = f.input.Value() != "" }

// Value is the text as typed.
func (f *Field) Value() string { return strings.Map(decodeRune, f.input.Value()) }

// Lines is how many lines the text has.
func (f *Field) Lines() int { return strings.Count(f.Value(), "\n") + 1 }

// Set replaces the text and puts the cursor at its end. Where the field has
// one line, what would break it becomes blanks.
func (f *Field) Set(value string) {
	if !f.Multiline {
		value = Clean(value)
	}
	f.input.SetValue(strings.Map(encodeRune, value))
	f.input.CursorEnd()
	f.replaced = false
}

// Key edits the field. It reports whether the text changed.
func (f *Field) Key(k tea.KeyMsg) bool {
	k, ok := f.translate(k)
	if !ok {
		return false
	}
	before, cursor := f.input.Value(), f.input.Position()
	if f.replaced {
		f.replaced = false
		if k.Type == tea.KeyRunes || k.Type == tea.KeySpace || k.Type == tea.KeyBackspace {
			f.input.SetValue("")
		}
	}
	f.input, _ = f.input.Update(k)
	after := f.input.Value()
	if after == before {
		return false
	}
	if size := utf8.RuneCountInString(after); size > f.limit && len(after) > len(before) {
		f.input.SetValue(before)
		f.input.SetCursor(cursor)
		f.Fault = fmt.Sprintf("at most %s fit here, this would be %s; nothing was added", Plural(f.limit, "character"), Count(size))
		return false
	}
	f.Fault = ""
	return true
}

// translate makes of a key what the input takes. A paste brings its line
// breaks as carriage returns or as the system it was copied on writes them.
func (f *Field) translate(k tea.KeyMsg) (tea.KeyMsg, bool) {
	newline := k.Type == tea.KeyCtrlJ || k.Type == tea.KeyEnter && k.Alt
	switch {
	case newline && !f.Multiline:
		return k, false
	case newline:
		return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{encodeRune('\n')}}, true
	case k.Type != tea.KeyRunes:
		return k, true
	case !f.Multiline:
		k.Runes = []rune(Clean(string(k.Runes)))
		return k, true
	}
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(k.Runes))
	k.Runes = []rune(strings.Map(encodeRune, text))
	return k, true
}

// Vertical moves the cursor n lines down, or up when n is negative, and
// reports whether there was such a line.
func (f *Field) Vertical(n int) bool {
	lines, line, column := f.layout()
	if line+n < 0 || line+n >= len(lines) {
		return false
	}
	position := 0
	for _, before := range lines[:line+n] {
		position += len(before) + 1
	}
	f.replaced = false
	f.input.SetCursor(position + min(column, len(lines[line+n])))
	return true
}

// layout is the text in lines, and where in them the cursor is.
func (f *Field) layout() (lines [][]rune, line, column int) {
	runes := []rune(f.Value())
	cursor, from := min(f.input.Position(), len(runes)), 0
	for i := 0; i <= len(runes); i++ {
		if i < len(runes) && runes[i] != '\n' {
			continue
		}
		if cursor >= from && cursor <= i {
			line, column = len(lines), cursor-from
		}
		lines = append(lines, runes[from:i])
		from = i + 1
	}
	return lines, line, column
}

// Draw adds the text to l in exactly w cells, line breaks as a mark; with
// focus it shows the cursor.
func (f *Field) Draw(l *Line, w int, focus bool) *Line {
	w = min(w, l.Left())
	if w <= 0 {
		return l
	}
	runes := []rune(f.Value())
	switch {
	case focus:
		return f.drawCursor(l, runes, min(f.input.Position(), len(runes)), w)
	case len(runes) == 0:
		return l.Cell(theme.Faint, "-", w, false)
	}
	return l.Cell(theme.Text, OneLine(string(runes), l.s.Glyphs.Break), w, false)
}

// Rows draws a text of several lines in h rows of w cells, each line behind
// its number, so that the cursor is in sight.
func (f *Field) Rows(s *theme.Styles, w, h int, focus bool) []string {
	lines, line, column := f.layout()
	digits := len(fmt.Sprint(len(lines)))
	first := 0
	if focus {
		first = max(0, min(line-h/2, len(lines)-h))
	}
	out := make([]string, 0, h)
	for i := first; i < len(lines) && len(out) < h; i++ {
		l := NewLine(s, w).Cell(theme.Faint, fmt.Sprint(i+1), digits, true).Sp(1)
		if focus && i == line {
			f.drawCursor(l, lines[i], column, l.Left())
		} else {
			l.Cell(theme.Text, string(lines[i]), l.Left(), false)
		}
		out = append(out, l.String())
	}
	return out
}

// drawCursor draws the part of a line around the cursor.
func (f *Field) drawCursor(l *Line, runes []rune, cursor, w int) *Line {
	text := func(part []rune) string { return OneLine(string(part), l.s.Glyphs.Break) }
	from := 0
	for Width(Clean(text(runes[from:cursor]))) > w-2 && from < cursor {
		from++
	}
	end := l.Used() + w
	cell := NewLine(l.s, w)
	if f.replaced {
		cell.Rev(theme.Text, text(runes[from:]))
		cell.T(theme.Focus, "_")
		l.b.WriteString(cell.String())
		l.w += w
		return l
	}
	cell.T(theme.Text, text(runes[from:cursor]))
	under, rest := " ", ""
	if cursor < len(runes) {
		under, rest = text(runes[cursor:cursor+1]), text(runes[cursor+1:])
	}
	cell.Rev(theme.Focus, under)
	cell.T(theme.Text, rest)
	l.b.WriteString(cell.String())
	l.w += w
	return l.To(end)
}

// OneLine is text on one line, with a mark where it had line breaks.
func OneLine(text, mark string) string {
	if !strings.ContainsAny(text, "\n\r") {
		return text
	}
	return strings.NewReplacer("\r\n", mark, "\n", mark).Replace(text)
}
