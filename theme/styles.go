package theme

import (
	"io"
	"strconv"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
)

// Reset ends every styled piece of text.
const Reset = "\x1b[0m"

// Styles is a theme made ready for one terminal: every token is already an
// escape sequence, so painting a cell costs a concatenation.
type Styles struct {
	Theme  Theme
	Depth  Depth
	Glyphs Glyphs

	plain [tokenCount]string // what to write before text of the token
	bold  [tokenCount]string
	rev   [tokenCount]string
	row   string // background of the cursor row; empty where there is none
}

// NewStyles prepares a theme for a depth. With ascii only ASCII is drawn.
func NewStyles(t Theme, d Depth, ascii bool) *Styles {
	s := &Styles{Theme: t, Depth: d, Glyphs: Unicode}
	if ascii {
		s.Glyphs = ASCII
	}
	if d == Plain {
		return s
	}
	r := lipgloss.NewRenderer(io.Discard)
	r.SetColorProfile(d.profile())
	for _, tok := range Tokens() {
		c := t.Colors[tok]
		base := r.NewStyle()
		if d > Mono && c.Set && tok != Cursor {
			base = base.Foreground(lipgloss.Color(c.at(d)))
		}
		heavy := base.Bold(true)
		if c.Bold || d == Mono && (tok == Err || tok == Lost || tok == Focus || tok == Accent) {
			base = heavy
		}
		s.plain[tok], s.bold[tok] = opening(base), opening(heavy)
		s.rev[tok] = opening(heavy.Reverse(true))
	}
	if c := t.Colors[Cursor]; d >= ANSI256 && c.Set {
		s.row = opening(r.NewStyle().Background(lipgloss.Color(c.at(d))))
	}
	return s
}

// opening is the escape sequence that a style writes before its text.
func opening(s lipgloss.Style) string {
	head, _, _ := strings.Cut(s.Render("x"), "x")
	return head
}

func (d Depth) profile() termenv.Profile {
	switch d {
	case TrueDeep:
		return termenv.TrueColor
	case ANSI256:
		return termenv.ANSI256
	default:
		return termenv.ANSI // Lip Gloss drops bold and reverse too below this
	}
}

func (c Color) at(d Depth) string {
	switch d {
	case TrueDeep:
		return c.True
	case ANSI256:
		return strconv.Itoa(c.C256)
	default:
		return strconv.Itoa(c.C16)
	}
}

func wrap(head, text string) string {
	if head == "" || text == "" {
		return text
	}
	return head + text + Reset
}

// Paint colours text, which must be one line without escape codes of its own.
func (s *Styles) Paint(t Token, text string) string { return wrap(s.plain[t], text) }

// Bold is Paint in bold.
func (s *Styles) Bold(t Token, text string) string { return wrap(s.bold[t], text) }

// Badge is Paint in bold on the token's colour. Without any escape codes it
// is the text in brackets, so a badge is never only a colour.
func (s *Styles) Badge(t Token, text string) string {
	if s.Depth <= Mono || s.Glyphs.ASCII {
		return wrap(s.rev[t], "["+text+"]")
	}
	return wrap(s.rev[t], " "+text+" ")
}

// Reverse is Paint in bold and reverse.
func (s *Styles) Reverse(t Token, text string) string { return wrap(s.rev[t], text) }

// Row lays the cursor's background under a whole styled line.
func (s *Styles) Row(line string) string {
	if s.row == "" {
		return line
	}
	return s.row + strings.ReplaceAll(line, Reset, Reset+s.row) + Reset
}

// Ramp is the load token for a percentage.
func Ramp(percent float64) Token {
	switch {
	case percent >= 90:
		return Load5
	case percent >= 75:
		return Load4
	case percent >= 50:
		return Load3
	case percent >= 25:
		return Load2
	}
	return Load1
}
