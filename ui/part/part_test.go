package part

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/theme"
)

func styles(t testing.TB) *theme.Styles {
	th, err := theme.Builtin("dark", true)
	if err != nil {
		t.Fatal(err)
	}
	return theme.NewStyles(th, theme.TrueDeep, false)
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                     "plain",
		"a\x1b[31mred\x1b[0mb":      "aredb",
		"\x1b]0;title\x07x":         "x",
		"\x1b]52;c;AAAA\x1b\\x":     "x",
		"\x1b]0;never ends":         "]0;never ends",
		"\x1bPq#0\x1b\\x":           "x",
		"a\tb\rc\nd":                "a b c d",
		"a\u202eb\u200bc\ufeff":     "abc",
		"\u009b31mx":                "31mx",
		"bad\xffutf":                "bad\ufffdutf",
		"e\u0301\u0301\u0301\u0301": "e\u0301\u0301",
		"\u0301x":                   "x",
		"\x00\x07\x08\x7f":          "",
		"👨\u200d👩":                  "👨👩",
		"\ue0b0":                    "\ufffd",
		"line\u2028sep":             "line sep",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCleanColor(t *testing.T) {
	for in, want := range map[string]string{
		"\x1b[31mred":       "\x1b[31mred\x1b[0m",
		"\x1b[8mhidden":     "hidden",
		"\x1b[5;31mx":       "\x1b[31mx\x1b[0m",
		"\x1b[38;5;200mx":   "\x1b[38;5;200mx\x1b[0m",
		"\x1b[38;2;1;2;3mx": "\x1b[38;2;1;2;3mx\x1b[0m",
		"\x1b[38;2;1;2mx":   "x",
		"\x1b[38;5;999mx":   "x",
		"\x1b[mx":           "\x1b[0mx\x1b[0m",
		"\x1b[2Jx\x1b[Hy":   "xy",
		"\x1b[?25lx":        "x",
		"\x1b[>4;2mx":       "x",
		"a\tb":              "a       b",
	} {
		if got := CleanColor(in); got != want {
			t.Errorf("CleanColor(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"a\x1b[31mb", "\x1b]52;c;x\x07", "\xff\u202e", "👨\u200d👩", "\x1b[38;5;1;2;3m"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range Clean(s) {
			if r < 0x20 || r >= 0x7f && r <= 0x9f || unicode.Is(unicode.Cf, r) {
				t.Fatalf("%q leaves %#x", s, r)
			}
		}
		rest := CleanColor(s)
		for {
			i := strings.IndexByte(rest, 0x1b)
			if i < 0 {
				break
			}
			n, sgr := escape(rest[i:])
			if !sgr {
				t.Fatalf("%q leaves %q", s, rest[i:])
			}
			rest = rest[:i] + rest[i+n:]
		}
		for w := range 5 {
			if got := Width(Fit(Clean(s), w*7)); got != w*7 {
				t.Fatalf("Fit(%q, %d) is %d wide", s, w*7, got)
			}
		}
		th, _ := theme.Builtin("dark", true)
		st := theme.NewStyles(th, theme.ANSI256, false)
		l := NewLine(st, 20).T(theme.OK, s).Cell(theme.Err, s, 6, true).B(theme.Text, s).String()
		if Width(l) != 20 {
			t.Fatalf("a line with %q is %d wide: %q", s, Width(l), l)
		}
	})
}

func TestLineNeverOverflows(t *testing.T) {
	s := styles(t)
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"ab", "名前", "é", "a very long piece of text that does not fit", "", "\x1b[31mred"}
	for range 3000 {
		w := r.IntN(40)
		l := NewLine(s, w)
		for range r.IntN(8) {
			x := words[r.IntN(len(words))]
			switch r.IntN(8) {
			case 0:
				l.T(theme.OK, x)
			case 1:
				l.B(theme.OK, x)
			case 2:
				l.Cell(theme.OK, x, r.IntN(12), r.IntN(2) == 0)
			case 3:
				l.Badge(theme.OK, x)
			case 4:
				l.Bar(float64(r.IntN(120)), r.IntN(12))
			case 5:
				l.Sp(r.IntN(9) - 2)
			case 6:
				l.Spark([]float64{1, 50, 100, 120, -3}, r.IntN(9))
			case 7:
				l.End(NewLine(s, 9).T(theme.Err, x))
			}
		}
		if got := Width(l.String()); got != w {
			t.Fatalf("%d wide instead of %d: %q", got, w, l.String())
		}
	}
}

func TestBoxIsExact(t *testing.T) {
	s := styles(t)
	for w := 0; w < 50; w++ {
		for h := 0; h < 12; h++ {
			iw, ih := Inner(w, h)
			lines := Box{Title: "A title 名前", Remark: "a remark", Foot: "foot", Focus: w%2 == 0, Scroll: Scroll{3, 5, 100}}.Draw(s, w, h, Blank(iw, ih))
			if len(lines) != h {
				t.Fatalf("%dx%d has %d lines", w, h, len(lines))
			}
			for _, ln := range lines {
				if Width(ln) != w {
					t.Fatalf("%dx%d: a line is %d wide: %q", w, h, Width(ln), ln)
				}
			}
		}
	}
}

func TestThumb(t *testing.T) {
	for _, c := range []struct {
		s        Scroll
		h        int
		from, to int
	}{
		{Scroll{0, 10, 10}, 10, 0, 0},
		{Scroll{0, 10, 100}, 10, 0, 1},
		{Scroll{90, 10, 100}, 10, 9, 10},
		{Scroll{0, 50, 100}, 10, 0, 5},
		{Scroll{0, 10, 1_000_000}, 10, 0, 1},
		{Scroll{999_990, 10, 1_000_000}, 10, 9, 10},
	} {
		if from, to := c.s.thumb(c.h); from != c.from || to != c.to {
			t.Errorf("%+v in %d: %d-%d", c.s, c.h, from, to)
		}
	}
}

func TestFitColumns(t *testing.T) {
	cols := []Column{{Width: 7}, {Width: 10, Drop: 1}, {Width: 5, Drop: 2}, {Width: 10, Flex: true}}
	for w, want := range map[int]string{50: "[7 10 5 22]", 40: "[7 10 5 12]", 33: "[7 10 0 12]", 20: "[7 0 0 11]", 5: "[7 0 0 1]"} {
		if got := fmt.Sprint(FitColumns(cols, w, 2)); got != want {
			t.Errorf("%d: %s, want %s", w, got, want)
		}
	}
}

func TestHuman(t *testing.T) {
	for d, want := range map[time.Duration]string{400 * time.Millisecond: "0.4s", 38 * time.Second: "38s", 63 * time.Second: "1m03s", 4*time.Hour + 12*time.Minute: "4h12m", 50 * time.Hour: "2d", -1: "0s"} {
		if got := Dur(d); got != want {
			t.Errorf("Dur(%v) = %s, want %s", d, got, want)
		}
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1204: "1 204", 1000000: "1 000 000", -1204: "-1 204"} {
		if got := Count(n); got != want {
			t.Errorf("Count(%d) = %q", n, got)
		}
	}
	for n, want := range map[int64]string{-1: "0B", 12: "12B", 1024: "1.0k", 590 << 20: "590M", 1717986918: "1.6G", 1 << 62: "4096P"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
	for v, want := range map[float64]float64{0: 1, 0.3: 0.5, 1: 1, 7: 10, 12: 20, 201: 500} {
		if got := NiceTop(v); got < want*0.999 || got > want*1.001 {
			t.Errorf("NiceTop(%v) = %v", v, got)
		}
	}
}

func TestShort(t *testing.T) {
	for n, want := range map[int]string{0: "0", 9748: "9 748", 10_000: "10k", 31_499: "31k", 999_600: "1.0M", 1_204_000: "1.2M", 38_114_209: "38M"} {
		if got := Short(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}

func TestAreaIsExact(t *testing.T) {
	s := styles(t)
	for _, g := range []Graph{Braille, Blocks} {
		rows := Area(s, g, []float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 9, 12, 3)
		if len(rows) != 3 {
			t.Fatal(len(rows))
		}
		for _, r := range rows {
			if Width(r) != 12 {
				t.Errorf("%d wide: %q", Width(r), r)
			}
		}
	}
}

func TestLogKeepsTheNewest(t *testing.T) {
	b := NewLogBuffer()
	for i := range 3 * MaxLogLines {
		b.Add(1, 0, fmt.Appendf(nil, "line %d\n", i))
	}
	st := b.Stats()
	if st.Lines != MaxLogLines || st.Skipped != 2*MaxLogLines {
		t.Fatalf("%+v", st)
	}
	first := ""
	b.Each(func(l LogLine) bool { first = l.Text; return false })
	if first != fmt.Sprintf("line %d", 2*MaxLogLines) {
		t.Errorf("the oldest is %q", first)
	}
	flood := NewLogBuffer()
	flood.Add(1, 0, []byte(strings.Repeat("y\n", 10*MaxLogLines)))
	if st := flood.Stats(); st.Lines != MaxLogLines || st.Skipped != 9*MaxLogLines {
		t.Errorf("flood: %+v", st)
	}
}

func TestLogBytesAreBounded(t *testing.T) {
	b := NewLogBuffer()
	for range 3000 {
		b.Add(1, 0, []byte(strings.Repeat("x", 10_000)+"\n"))
	}
	sum := 0
	b.Each(func(l LogLine) bool { sum += len(l.Text); return true })
	if sum > MaxLogBytes {
		t.Errorf("%d bytes are kept", sum)
	}
}

func TestLogLines(t *testing.T) {
	b := NewLogBuffer()
	b.Add(1, 0, []byte("one\ntw"))
	b.Add(2, 0, []byte("err\n"))
	b.Add(1, 0, []byte("o\n10%\r20%\r30%"))
	var got []string
	b.Each(func(l LogLine) bool { got = append(got, fmt.Sprintf("%d:%s", l.Stream, l.Text)); return true })
	if want := "[1:one 2:err 1:two 1:30%]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}

// The flags of the view are independent: in all combinations the view keeps
// its shape, and turning one does not turn another.
func TestLogViewFlags(t *testing.T) {
	s := styles(t)
	b := NewLogBuffer()
	for i := range 500 {
		b.Add(uint8(1+i%2), int64(i)*1000, fmt.Appendf(nil, "line %d needle %s\n", i, strings.Repeat("x", i%150)))
	}
	for bits := range 64 {
		v := LogView{Follow: bits&1 > 0, Wrap: bits&2 > 0, Times: bits&4 > 0, Only: bits&8 > 0, Colors: bits&32 > 0}
		if bits&16 > 0 {
			v.Find = "needle"
		}
		for _, step := range []int{-5, 3, -1000, 7, 100000} {
			v.Move(b, step, 10)
			lines := v.Draw(s, b, 60, 10)
			if len(lines) != 10 {
				t.Fatalf("%06b: %d lines", bits, len(lines))
			}
			for _, ln := range lines {
				if Width(ln) != 60 {
					t.Fatalf("%06b: %d wide: %q", bits, Width(ln), ln)
				}
			}
		}
		if v.Wrap != (bits&2 > 0) || v.Times != (bits&4 > 0) || v.Only != (bits&8 > 0) {
			t.Errorf("%06b: moving changed a flag", bits)
		}
	}
}

// Reading up in the log while it grows: what is shown does not move.
func TestLogViewStaysWhileGrowing(t *testing.T) {
	s := styles(t)
	b := NewLogBuffer()
	for i := range 100 {
		b.Add(1, 0, fmt.Appendf(nil, "line %d\n", i))
	}
	v := LogView{Follow: true}
	v.Draw(s, b, 40, 10)
	v.Move(b, -20, 10)
	before := strings.Join(v.Draw(s, b, 40, 10), "\n")
	for i := range 500 {
		b.Add(1, 0, fmt.Appendf(nil, "more %d\n", i))
	}
	if after := strings.Join(v.Draw(s, b, 40, 10), "\n"); after != before {
		t.Errorf("it moved:\n%s\n---\n%s", before, after)
	}
	v.Last()
	if got := strings.Join(v.Draw(s, b, 40, 10), "\n"); !strings.Contains(got, "more 499") {
		t.Error("the end is not shown")
	}
}

func TestLogViewNext(t *testing.T) {
	s := styles(t)
	b := NewLogBuffer()
	for i := range 200 {
		text := "line"
		if i%50 == 25 {
			text = "NEEDLE"
		}
		b.Add(1, 0, fmt.Appendf(nil, "%s %d\n", text, i))
	}
	v := LogView{Find: "needle"}
	v.First()
	for _, want := range []string{"NEEDLE 25", "NEEDLE 75", "NEEDLE 125"} {
		if !v.Next(b, false, 10) {
			t.Fatal("no match")
		}
		if got := Clean(v.Draw(s, b, 40, 10)[0]); !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if !v.Next(b, true, 10) || v.Matches() != 4 {
		t.Errorf("back, or %d matches", v.Matches())
	}
	if (&LogView{}).Next(b, false, 10) {
		t.Error("a match without a search")
	}
}

func TestFieldSuggestionIsReplaced(t *testing.T) {
	f := NewField("Command", "", "", 100)
	f.Suggest("echo hello")
	if f.Value() != "echo hello" {
		t.Fatal(f.Value())
	}
	f.Key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("l")})
	f.Key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("s")})
	if f.Value() != "ls" {
		t.Errorf("%q", f.Value())
	}
	f.Key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("\x1b[31m\u202e")})
	if f.Value() != "ls" {
		t.Errorf("control bytes were typed: %q", f.Value())
	}
}

func BenchmarkLogFlood(b *testing.B) {
	data := []byte(strings.Repeat("y\n", 32<<10))
	buf := NewLogBuffer()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		buf.Add(1, 0, data)
	}
}

func BenchmarkLine(b *testing.B) {
	s := styles(b)
	for b.Loop() {
		_ = NewLine(s, 120).Cell(theme.Text, "10042", 7, false).Sp(2).Cell(theme.Run, "▸ running", 11, false).Sp(2).Bar(42, 10).T(theme.Text, "ffmpeg -i s01e10.mkv -c:v av1 out10.mp4").String()
	}
}
