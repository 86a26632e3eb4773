package text

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a task, a node or a peer wrote is shown to a person only through here:
// nothing it holds may move the cursor, set the title, write the clipboard or
// hide text. Every character that could is written visibly instead. Colour
// sequences are dropped, because in plain text they are only noise.

// CleanLine makes text safe to stand on one line of a terminal.
func CleanLine(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	for _, r := range colour.ReplaceAllString(s, "") {
		writeVisible(&b, r, true)
	}
	return b.String()
}

// plain is a fast test that nothing needs to be done.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// colour is a sequence that only chooses colours and weight.
var colour = regexp.MustCompile(`\x1b\[[0-9;:]{0,60}m`)

// longestColour is where a sequence that has not ended stops being waited for:
// what colour matches, without its last byte.
const longestColour = 62

// writeVisible writes r as it may be shown. On one line, a tab and a line
// break are shown as well.
func writeVisible(b *strings.Builder, r rune, oneLine bool) {
	switch {
	case r == '\t' || r == '\n':
		if oneLine {
			b.WriteString(map[rune]string{'\t': `\t`, '\n': `\n`}[r])
			return
		}
		b.WriteRune(r)
	case r == '\r':
		b.WriteString(`\r`)
	case r < ' ':
		b.WriteByte('^')
		b.WriteByte(byte(r) + '@')
	case r == 0x7f:
		b.WriteString("^?")
	case hidden(r):
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		b.WriteRune(r)
	}
}

// hidden reports whether a character acts on the text around it or cannot be
// seen: C1 controls, direction marks, zero-width characters, line separators.
func hidden(r rune) bool {
	switch {
	case r >= 0x80 && r <= 0x9f, r == 0x2028, r == 0x2029, r == 0xfeff:
		return true
	case r >= 0xe0000 && r <= 0xe0fff:
		return true
	}
	return unicode.Is(unicode.Cf, r)
}

// Cleaner cleans a stream on its way to a terminal. Characters and colour
// sequences may be cut anywhere between two writes. It is not safe for concurrent
// use; Close writes what is held and leaves the writer below open.
type Cleaner struct {
	w    io.Writer
	held []byte // the beginning of something that has not ended
}

// NewCleaner cleans what is written to w.
func NewCleaner(w io.Writer) *Cleaner { return &Cleaner{w: w} }

// Write cleans p and writes it. What cannot be judged yet is kept.
func (c *Cleaner) Write(p []byte) (int, error) {
	all := append(c.held, p...) //nolint:gocritic // held is replaced below
	n := len(all) - unfinished(all)
	text := CleanText(all[:n])
	c.held = append([]byte(nil), all[n:]...)
	if text != "" {
		if _, err := io.WriteString(c.w, text); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// Close writes what was held; the writer below stays open.
func (c *Cleaner) Close() error {
	text := CleanText(c.held)
	c.held = nil
	if text == "" {
		return nil
	}
	_, err := io.WriteString(c.w, text)
	return err
}

// CleanText is CleanLine for text of several lines: line breaks and tabs stay.
func CleanText(p []byte) string {
	s := strings.ReplaceAll(colour.ReplaceAllString(string(p), ""), "\r\n", "\n")
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		writeVisible(&b, r, false)
	}
	return b.String()
}

// unfinished counts the bytes at the end that may be the beginning of a
// character, a colour sequence or a line break.
func unfinished(p []byte) int {
	tail := p[max(0, len(p)-longestColour):]
	for i := len(tail) - 1; i >= 0; i-- {
		if tail[i] == 0x1b {
			if mayBecomeColour(tail[i:]) {
				return len(tail) - i
			}
			break
		}
	}
	if n := len(p); n > 0 && p[n-1] == '\r' {
		return 1
	}
	for i := 1; i <= min(len(p), utf8.UTFMax-1); i++ {
		if c := p[len(p)-i]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(p[len(p)-i:]) {
				return i
			}
			break
		}
	}
	return 0
}

func mayBecomeColour(p []byte) bool {
	for i, c := range p {
		switch {
		case i == 0: // the escape character itself
		case i == 1:
			if c != '[' {
				return false
			}
		case !(c >= '0' && c <= '9') && c != ';' && c != ':':
			return false
		}
	}
	return true
}
