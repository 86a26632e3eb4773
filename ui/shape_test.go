package ui

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

var ours = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// shape checks that lines are exactly h lines of exactly w cells, and that
// nothing in them could move the cursor, hide text or turn it around.
func shape(lines []string, w, h int) error {
	if len(lines) != h {
		return fmt.Errorf("%d lines instead of %d", len(lines), h)
	}
	for i, ln := range lines {
		if got := ansi.StringWidth(ln); got != w {
			return fmt.Errorf("line %d is %d cells wide: %q", i, got, ln)
		}
		if err := harmless(ln); err != nil {
			return fmt.Errorf("line %d: %w: %q", i, err, ln)
		}
	}
	return nil
}

func harmless(line string) error {
	rest := line
	if strings.IndexByte(line, 0x1b) >= 0 {
		rest = ours.ReplaceAllString(line, "")
	}
	if !utf8.ValidString(rest) {
		return fmt.Errorf("not UTF-8")
	}
	for _, r := range rest {
		switch {
		case r < 0x20, r >= 0x7f && r <= 0x9f:
			return fmt.Errorf("control byte %#x", r)
		case unicode.Is(unicode.Cf, r), r >= 0xfe00 && r <= 0xfe0f, r == 0x2028, r == 0x2029:
			return fmt.Errorf("invisible character %#x", r)
		}
	}
	return nil
}

// text is a drawn screen without its colours.
func text(lines []string) string {
	return ours.ReplaceAllString(strings.Join(lines, "\n"), "")
}
