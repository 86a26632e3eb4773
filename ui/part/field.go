package part

import (
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/theme"
)

// Field is one line of text that a person edits.
type Field struct {
	Label string
	Note  string // what may be typed here
	Fault string // what is wrong with what was typed; empty is nothing

	in     textinput.Model
	wiped  bool // the next character replaces the suggestion
	length int
}

// NewField makes a field that holds at most limit characters.
func NewField(label, note, value string, limit int) *Field {
	f := &Field{Label: label, Note: note, in: textinput.New(), length: limit}
	f.in.Prompt = ""
	f.in.CharLimit = limit
	f.in.SetValue(value)
	f.in.CursorEnd()
	f.in.Focus()
	return f
}

// Suggest fills the field with a value that the first typed character replaces.
func (f *Field) Suggest(value string) {
	f.in.SetValue(value)
	f.in.CursorEnd()
	f.wiped = true
}

// Value is the text as typed.
func (f *Field) Value() string { return f.in.Value() }

// Set replaces the text and puts the cursor at its end.
func (f *Field) Set(v string) {
	f.in.SetValue(v)
	f.in.CursorEnd()
	f.wiped = false
}

// Key edits the field. It reports whether the text changed.
func (f *Field) Key(k tea.KeyMsg) bool {
	before := f.in.Value()
	if f.wiped {
		f.wiped = false
		if k.Type == tea.KeyRunes || k.Type == tea.KeySpace || k.Type == tea.KeyBackspace {
			f.in.SetValue("")
		}
	}
	if k.Type == tea.KeyRunes {
		k = tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(Clean(string(k.Runes)))}
	}
	f.in, _ = f.in.Update(k)
	if f.in.Value() == before {
		return false
	}
	f.Fault = ""
	return true
}

// Draw adds the text to l in exactly w cells; with focus it shows the cursor.
func (f *Field) Draw(l *Line, w int, focus bool) *Line {
	w = min(w, l.Left())
	if w <= 0 {
		return l
	}
	if !focus {
		if f.in.Value() == "" {
			return l.Cell(theme.Faint, "-", w, false)
		}
		return l.Cell(theme.Text, f.in.Value(), w, false)
	}
	end := l.Used() + w
	runes := []rune(f.in.Value())
	pos := min(f.in.Position(), len(runes))
	from := 0
	for Width(Clean(string(runes[from:pos]))) > w-2 && from < pos {
		from++
	}
	cell := NewLine(l.s, w)
	if f.wiped {
		cell.Rev(theme.Text, string(runes[from:]))
		cell.T(theme.Focus, "_")
		l.b.WriteString(cell.String())
		l.w += w
		return l
	}
	cell.T(theme.Text, string(runes[from:pos]))
	under, rest := " ", ""
	if pos < len(runes) {
		under, rest = string(runes[pos:pos+1]), string(runes[pos+1:])
	}
	cell.Rev(theme.Focus, under)
	cell.T(theme.Text, rest)
	l.b.WriteString(cell.String())
	l.w += w
	return l.To(end)
}
