// Package part is the pieces that screens are made of: text that is safe and
// exactly as wide as asked, boxes, bars, charts, columns, dialogs, fields and
// logs. It knows nothing of tasks or nodes.
package part

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Clean makes text from elsewhere safe to draw on one line: escape sequences,
// control bytes, C1, bidirectional and invisible characters go, line breaks
// and tabs become spaces, bytes that are not UTF-8 become U+FFFD.
func Clean(s string) string {
	if printable(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	cleanInto(&b, s, false)
	return b.String()
}

// CleanColor is Clean but keeps colours: SGR sequences, rewritten to those
// that only set a colour, bold, underline or reverse. The result ends with a
// reset if it set anything.
func CleanColor(s string) string {
	if printable(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	if cleanInto(&b, s, true) {
		b.WriteString("\x1b[0m")
	}
	return b.String()
}

func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// cleanInto writes the clean form of s and reports whether a colour was set.
func cleanInto(b *strings.Builder, s string, color bool) (colored bool) {
	marks, col := maxMarks, 0
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == 0x1b:
			n, sgr := escape(s[i:])
			if color && sgr {
				if seq := safeSGR(s[i+2 : i+n-1]); seq != "" {
					b.WriteString(seq)
					colored = true
				}
			}
			i += n
			continue
		case c == '\t':
			n := 1
			if color {
				n = 8 - col%8
			}
			b.WriteString("        "[:n])
			col += n
			i++
			continue
		case c == '\n' || c == '\r':
			b.WriteByte(' ')
			i++
			continue
		case c < 0x20 || c == 0x7f:
			i++
			continue
		case c < 0x80:
			b.WriteByte(c)
			marks = 0
			col++
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteRune(utf8.RuneError)
			marks = 0
		case hidden(r):
		case r == '\u2028' || r == '\u2029' || r == '\u0085':
			b.WriteByte(' ')
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Mc):
			if marks < maxMarks {
				b.WriteRune(r)
				marks++
			}
		case unicode.Is(unicode.Co, r):
			b.WriteRune(utf8.RuneError)
			marks = 0
		default:
			b.WriteRune(r)
			marks = 0
		}
		col++
	}
	return colored
}

// maxMarks is how many combining marks may sit on one letter: enough for
// writing, too few for towers over the neighbouring lines.
const maxMarks = 2

// hidden reports characters that draw nothing themselves but change what is
// around them: C1 controls, bidirectional and other format characters,
// joiners, variation selectors, fillers.
func hidden(r rune) bool {
	switch {
	case r >= 0x80 && r <= 0x9f,
		unicode.Is(unicode.Cf, r),
		r >= 0xfe00 && r <= 0xfe0f, r >= 0xe0100 && r <= 0xe01ef,
		r == 0x034f, r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0,
		r >= 0x17b4 && r <= 0x17b5, r >= 0x180b && r <= 0x180f,
		r >= 0x1f3fb && r <= 0x1f3ff, // skin tones join with what is before
		r >= 0x1f1e6 && r <= 0x1f1ff: // so do the letters of flags
		return true
	}
	return false
}

// escape measures the escape sequence at the start of s, which begins with
// ESC. A string sequence without its end counts as ESC alone, so that it
// cannot hide what follows.
func escape(s string) (n int, sgr bool) {
	if len(s) < 2 {
		return 1, false
	}
	switch s[1] {
	case '[':
		for i := 2; i < len(s); i++ {
			if s[i] >= 0x40 && s[i] <= 0x7e {
				return i + 1, s[i] == 'm'
			}
			if s[i] < 0x20 || s[i] > 0x7e {
				return i, false
			}
		}
		return len(s), false
	case ']', 'P', 'X', '^', '_':
		for i := 2; i < len(s); i++ {
			if s[i] == 0x07 {
				return i + 1, false
			}
			if s[i] == 0x1b && i+1 < len(s) && s[i+1] == '\\' {
				return i + 2, false
			}
		}
		return 1, false
	}
	if s[1] >= 0x20 && s[1] <= 0x2f && len(s) > 2 {
		return 3, false
	}
	if s[1] < 0x20 || s[1] > 0x7e {
		return 1, false
	}
	return 2, false
}

// safeSGR rewrites the parameters of an SGR sequence to the harmless ones.
func safeSGR(params string) string {
	if len(params) > 64 {
		return ""
	}
	fields := strings.FieldsFunc(params, func(r rune) bool { return r == ';' || r == ':' })
	if params == "" {
		fields = []string{"0"}
	}
	var keep []string
	for i := 0; i < len(fields); i++ {
		n := number(fields[i])
		switch {
		case n == 0, n == 1, n == 3, n == 4, n == 7, n >= 22 && n <= 24, n == 27, n >= 30 && n <= 37, n == 39,
			n >= 40 && n <= 47, n == 49, n >= 90 && n <= 97, n >= 100 && n <= 107:
			keep = append(keep, fields[i])
		case n == 38 || n == 48:
			size := 0
			if i+1 < len(fields) {
				size = map[string]int{"5": 3, "2": 5}[fields[i+1]]
			}
			if size == 0 || i+size > len(fields) {
				return sgr(keep)
			}
			part := fields[i : i+size]
			i += size - 1
			if ok := allBytes(part); ok {
				keep = append(keep, part...)
			}
		}
	}
	return sgr(keep)
}

func sgr(keep []string) string {
	if len(keep) == 0 {
		return ""
	}
	return "\x1b[" + strings.Join(keep, ";") + "m"
}

func allBytes(list []string) bool {
	for _, f := range list {
		if n := number(f); n < 0 || n > 255 {
			return false
		}
	}
	return true
}

func number(s string) int {
	n := 0
	if s == "" || len(s) > 3 {
		return -1
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// Width is how many cells a line takes; escape codes take none.
func Width(s string) int {
	if printable(s) {
		return len(s)
	}
	return ansi.StringWidth(s)
}

// Fit makes a line exactly w cells wide: cut with an ellipsis or padded.
func Fit(s string, w int) string {
	if w <= 0 {
		return ""
	}
	have := Width(s)
	if have > w {
		s = ansi.Truncate(s, w, "…")
		have = Width(s)
	}
	return s + spaces(w-have)
}

// Cut is s without its first skip cells, at most w cells wide.
func Cut(s string, skip, w int) string {
	if w <= 0 {
		return ""
	}
	if skip > 0 {
		s = ansi.TruncateLeft(s, skip, "")
	}
	if Width(s) > w {
		s = ansi.Truncate(s, w, "")
	}
	return s
}

const blank = "                                                                                                                                                                                                                                                                "

func spaces(n int) string {
	switch {
	case n <= 0:
		return ""
	case n <= len(blank):
		return blank[:n]
	}
	return strings.Repeat(" ", n)
}
