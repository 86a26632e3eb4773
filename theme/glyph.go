package theme

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Border is the eight pieces of a box.
type Border struct{ TL, T, TR, L, R, BL, B, BR string }

// Glyphs is every drawn sign. Status signs are of the widths that all
// terminals agree on; none is from a private area.
type Glyphs struct {
	ASCII bool

	Light, Heavy Border
	Thumb        string // scroll bar on a border
	Rule         string

	Full, Empty string // bars
	Hollow      string // empty part of a bar where there is no colour
	Shade       [4]string
	Eighths     []string // rising blocks, lowest first

	Queued, Assigned, Running, Retry, Done, Failed, Timeout, Cancelled, Lost string
	Up, Draining, Stale, Asks, Idle, Lock, Info                              string

	Cursor, Mark, Ellipsis, Crumb, Dot, Arrow, On, Off string

	Break string // where a text goes on in the next line
}

// Unicode is the usual set.
var Unicode = Glyphs{
	Light: Border{"╭", "─", "╮", "│", "│", "╰", "─", "╯"},
	Heavy: Border{"┏", "━", "┓", "┃", "┃", "┗", "━", "┛"},
	Thumb: "█", Rule: "─",
	Full: "■", Empty: "■", Hollow: "·", Shade: [4]string{"░", "▒", "▓", "█"},
	Eighths: []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"},
	Queued:  "·", Assigned: "▹", Running: "▸", Retry: "↻", Done: "✓", Failed: "✗", Timeout: "⧖", Cancelled: "⊘", Lost: "?",
	Up: "✓", Draining: "⊘", Stale: "▴", Asks: "?", Idle: "·", Lock: "⊠", Info: "▸",
	Cursor: ">", Mark: "*", Ellipsis: "…", Crumb: "›", Dot: "·", Arrow: "→", On: "(•)", Off: "( )", Break: " ↵ ",
}

// ASCII is the set for terminals without UTF-8 and for people who ask for it.
var ASCII = Glyphs{
	ASCII: true,
	Light: Border{"+", "-", "+", "|", "|", "+", "-", "+"},
	Heavy: Border{"#", "=", "#", "#", "#", "#", "=", "#"},
	Thumb: "%", Rule: "-",
	Full: "#", Empty: ".", Hollow: ".", Shade: [4]string{".", "-", "+", "#"},
	Eighths: []string{".", ":", "-", "=", "+", "*", "#", "#"},
	Queued:  "[Q]", Assigned: "[a]", Running: "[>]", Retry: "[r]", Done: "[+]", Failed: "[!]", Timeout: "[t]", Cancelled: "[x]", Lost: "[?]",
	Up: "[+]", Draining: "[d]", Stale: "[~]", Asks: "[?]", Idle: "[.]", Lock: "[L]", Info: "[i]",
	Cursor: ">", Mark: "*", Ellipsis: "~", Crumb: ">", Dot: "-", Arrow: "->", On: "(o)", Off: "( )", Break: ` \n `,
}

var toASCII = func() map[rune]byte {
	m := map[rune]byte{
		'…': '~', '·': '.', '•': 'o', '›': '>', '→': '>', '↵': '\\', '←': '<', '↑': '^', '↓': 'v', '×': 'x', '–': '-', '—': '-', '‘': '\'', '’': '\'',
		'“': '"', '”': '"', '▸': '>', '▹': '>', '↻': 'r', '✓': '+', '✗': '!', '⧖': 't', '⊘': 'x', '▴': '~', '⊠': 'L',
		'│': '|', '┃': '#', '─': '-', '━': '=', '■': '#', '░': '.', '▒': '-', '▓': '+', '█': '#',
	}
	for r := '▁'; r <= '▇'; r++ {
		m[r] = '#'
	}
	for _, r := range "╭╮╰╯┌┐└┘├┤┬┴┼┏┓┗┛" {
		m[r] = '+'
	}
	for r := '⠀'; r <= '⣿'; r++ {
		m[r] = ":.*#"[min(3, popcount(uint8(r-'⠀'))/2)]
	}
	m['⠀'] = ' '
	return m
}()

func popcount(b uint8) (n int) {
	for ; b != 0; b &= b - 1 {
		n++
	}
	return n
}

// ToASCII turns a drawn line into ASCII of the same width; what has no
// likeness becomes question marks.
func ToASCII(line string) string {
	i := 0
	for i < len(line) && line[i] < 0x80 {
		i++
	}
	if i == len(line) {
		return line
	}
	var b strings.Builder
	b.Grow(len(line))
	for _, r := range line {
		if r < 0x80 {
			b.WriteByte(byte(r))
		} else if c, ok := toASCII[r]; ok {
			b.WriteByte(c)
		} else {
			b.WriteString(strings.Repeat("?", ansi.StringWidth(string(r))))
		}
	}
	return b.String()
}
