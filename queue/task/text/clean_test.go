package text

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// attacks are what terminals have been made to do by text that was shown.
var attacks = map[string]struct{ in, line, text string }{
	"plain":            {"hello", "hello", "hello"},
	"lines":            {"a\tb\nc\r\n", `a\tb\nc\r\n`, "a\tb\nc\n"},
	"colour":           {"\x1b[1;31mred\x1b[0m", "red", "red"},
	"title":            {"\x1b]0;owned\x07", `^[]0;owned^G`, `^[]0;owned^G`},
	"clipboard":        {"\x1b]52;c;cm0=\x1b\\", `^[]52;c;cm0=^[\`, `^[]52;c;cm0=^[\`},
	"link":             {"\x1b]8;;http://x\x1b\\y", `^[]8;;http://x^[\y`, `^[]8;;http://x^[\y`},
	"cursor up":        {"a\x1b[2Ab", "a^[[2Ab", "a^[[2Ab"},
	"clear":            {"\x1b[2J\x1b[H", "^[[2J^[[H", "^[[2J^[[H"},
	"C1 as rune":       {"\u009b31m", `\u009b31m`, `\u009b31m`},
	"C1 as byte":       {"\x9b31m", "\ufffd31m", "\ufffd31m"},
	"overprint":        {"good\rbad", `good\rbad`, `good\rbad`},
	"backspace":        {"good\b\b\b\bbad", `good^H^H^H^Hbad`, `good^H^H^H^Hbad`},
	"override":         {"a\u202etxt.exe", `a\u202etxt.exe`, `a\u202etxt.exe`},
	"isolate":          {"a\u2066b\u2069", `a\u2066b\u2069`, `a\u2066b\u2069`},
	"zero width":       {"a\u200bb\ufeff", `a\u200bb\ufeff`, `a\u200bb\ufeff`},
	"line separator":   {"a\u2028b", `a\u2028b`, `a\u2028b`},
	"tags":             {"a\U000e0041", `a\ue0041`, `a\ue0041`},
	"delete":           {"a\x7f", "a^?", "a^?"},
	"answerback":       {"\x05", "^E", "^E"},
	"letters":          {"Größe 日本 é ✓", "Größe 日本 é ✓", "Größe 日本 é ✓"},
	"long colour":      {"\x1b[" + strings.Repeat("1", 61) + "m", "^[[" + strings.Repeat("1", 61) + "m", "^[[" + strings.Repeat("1", 61) + "m"},
	"longest colour":   {"\x1b[" + strings.Repeat("1", 60) + "mx", "x", "x"},
	"colour in colour": {"\x1b[3\x1b[0m1mx", "^[[31mx", "^[[31mx"},
}

func TestClean(t *testing.T) {
	for name, c := range attacks {
		if got := CleanLine(c.in); got != c.line {
			t.Errorf("%s: line %q, want %q", name, got, c.line)
		}
		if got := CleanText([]byte(c.in)); got != c.text {
			t.Errorf("%s: text %q, want %q", name, got, c.text)
		}
	}
}

// TestCleanerMayBeCutAnywhere writes every attack in two pieces, cut at every
// place.
func TestCleanerMayBeCutAnywhere(t *testing.T) {
	for name, c := range attacks {
		for cut := range len(c.in) + 1 {
			var b strings.Builder
			w := NewCleaner(&b)
			for _, part := range []string{c.in[:cut], c.in[cut:]} {
				if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
					t.Fatalf("wrote %d of %d: %v", n, len(part), err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if b.String() != c.text {
				t.Errorf("%s cut at %d: %q, want %q", name, cut, b.String(), c.text)
			}
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, c := range attacks {
		f.Add([]byte(c.in), 1)
	}
	f.Fuzz(func(t *testing.T, data []byte, cut int) {
		line := CleanLine(string(data))
		if strings.ContainsAny(line, "\n\t") {
			t.Errorf("%q has several lines", line)
		}
		var b strings.Builder
		w := NewCleaner(&b)
		at := 0
		if len(data) > 0 {
			at = (cut%len(data) + len(data)) % len(data)
		}
		_, _ = w.Write(data[:at])
		_, _ = w.Write(data[at:])
		_ = w.Close()
		for _, s := range []string{line, b.String()} {
			if !utf8.ValidString(s) {
				t.Errorf("%q is not UTF-8", s)
			}
			for _, r := range s {
				if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || hidden(r) {
					t.Errorf("%q holds %U", s, r)
				}
			}
		}
		if CleanText(data) != b.String() {
			t.Errorf("cut at %d %q becomes %q, whole %q", at, data, b.String(), CleanText(data))
		}
	})
}
