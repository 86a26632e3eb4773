package theme

import (
	"strings"
	"testing"
)

var stateTokens = []Token{OK, Run, Warn, Err, Lost}

func TestContrast(t *testing.T) {
	backs := map[string][]string{
		"dark":  {"#000000", "#16161D", "#1E1E1E", "#282C34"},
		"light": {"#FFFFFF", "#FDF6E3"},
	}
	for name, list := range backs {
		th, err := Builtin(name, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, tok := range append([]Token{Muted, Accent, Focus}, stateTokens...) {
			c := th.Colors[tok]
			for _, back := range list {
				if got := Contrast(c.True, back); got < 4.5 {
					t.Errorf("%s: %s %s on %s is %.2f:1, want 4.5", name, tok, c.True, back, got)
				}
			}
			if got := Contrast(c.True, th.Colors[Cursor].True); got < 4.5 {
				t.Errorf("%s: %s %s on the cursor row is %.2f:1, want 4.5", name, tok, c.True, got)
			}
		}
		for tok := Load1; tok <= Load5; tok++ {
			for _, back := range list {
				if got := Contrast(th.Colors[tok].True, back); got < 2.2 {
					t.Errorf("%s: %s on %s is %.2f:1, want 2.2 for a graphic with its number beside it", name, tok, back, got)
				}
			}
		}
	}
}

func TestColourVisionDistance(t *testing.T) {
	for name, want := range map[string]float64{"dark": 28, "light": 20} {
		th, _ := Builtin(name, false)
		for _, s := range Sights {
			for i, a := range stateTokens {
				for _, b := range stateTokens[i+1:] {
					if got := Distance(s, th.Colors[a].True, th.Colors[b].True); got < want {
						t.Errorf("%s: %s and %s are %.1f apart to %s sight, want %.0f", name, a, b, got, s.Name, want)
					}
				}
			}
		}
	}
}

// The colours that a terminal with 256 colours gets must stay apart as well.
func TestColourVisionDistance256(t *testing.T) {
	for _, name := range []string{"dark", "light"} {
		th, _ := Builtin(name, false)
		for _, s := range Sights {
			for i, a := range stateTokens {
				for _, b := range stateTokens[i+1:] {
					if got := Distance(s, hex256(th.Colors[a].C256), hex256(th.Colors[b].C256)); got < 15 {
						t.Errorf("%s: %s and %s are %.1f apart in 256 colours to %s sight", name, a, b, got, s.Name)
					}
				}
			}
		}
	}
}

func hex256(i int) string {
	r, g, b := paletteRGB(i)
	const d = "0123456789ABCDEF"
	return string([]byte{'#', d[r>>4], d[r&15], d[g>>4], d[g&15], d[b>>4], d[b&15]})
}

func TestContrastKnownValues(t *testing.T) {
	if got := Contrast("#000000", "#FFFFFF"); got < 20.99 || got > 21.01 {
		t.Errorf("black on white is %.2f", got)
	}
	if Contrast("white", "#000000") != 0 {
		t.Error("a word is not a colour")
	}
	if got := Distance(Sights[0], "#000000", "#FFFFFF"); got < 99 || got > 101 {
		t.Errorf("black to white is %.1f, want 100", got)
	}
}

// Each row of a matrix must sum to one, or grey would not stay grey.
func TestSightsKeepGrey(t *testing.T) {
	for _, s := range Sights {
		for _, row := range s.Matrix {
			if sum := row[0] + row[1] + row[2]; sum < 0.99999 || sum > 1.00001 {
				t.Errorf("%s: a row sums to %f", s.Name, sum)
			}
		}
	}
}

func TestParseNamesTheLine(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"name = \"a\"\nbackground = \"dark\"\n[tokens]\nok = \"green\"\n", "mine.toml:4"},
		{"name = \"a\"\nbackground = \"dark\"\n[tokens]\nokay = \"#00FF00\"\n", "mine.toml:4"},
		{"name = \"a\"\nbackground = \"dark\"\n[tokens]\nok = \"#00FF00 300\"\n", "mine.toml:4"},
		{"name = \"a\"\nbackground = \"dark\"\n[tokens\n", "mine.toml:3"},
		{"background = \"dark\"\n", "no name"},
		{"name = \"a\"\nbackground = \"pink\"\n", "background is \"pink\""},
	} {
		_, err := Parse("mine.toml", []byte(c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q in it", c.in, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("name = \"a\"\nbackground = \"dark\"\n[tokens]\nok = \"#00FF00 40 2 bold\"\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		th, err := Parse("f", b)
		if err == nil {
			NewStyles(th, ANSI256, false).Paint(OK, "x")
		}
	})
}

func TestDetectDepth(t *testing.T) {
	for _, c := range []struct {
		name, color, env string
		tty              bool
		want             Depth
	}{
		{"never beats force", "never", "FORCE_COLOR=1", true, Mono},
		{"always beats NO_COLOR", "always", "NO_COLOR=1 TERM=xterm-256color", false, ANSI256},
		{"NO_COLOR keeps bold", "", "NO_COLOR=1 TERM=xterm-256color", true, Mono},
		{"NO_COLOR beats FORCE_COLOR", "", "NO_COLOR=1 FORCE_COLOR=3", true, Mono},
		{"force without a terminal", "", "FORCE_COLOR=1", false, ANSI16},
		{"FORCE_COLOR=3", "", "FORCE_COLOR=3", false, TrueDeep},
		{"FORCE_COLOR=0 is nothing", "", "FORCE_COLOR=0", false, Plain},
		{"clicolor force", "", "CLICOLOR_FORCE=1 TERM=dumb", false, ANSI16},
		{"clicolor 0", "", "CLICOLOR=0 TERM=xterm", true, Mono},
		{"dumb", "", "TERM=dumb", true, Plain},
		{"pipe", "", "TERM=xterm-256color", false, Plain},
		{"truecolor", "auto", "TERM=xterm COLORTERM=truecolor", true, TrueDeep},
		{"256", "", "TERM=tmux-256color", true, ANSI256},
		{"xterm", "", "TERM=xterm", true, ANSI16},
		{"vt100", "", "TERM=vt100", true, Mono},
	} {
		got := DetectDepth(Terminal{Color: c.color, TTY: c.tty, Getenv: env(c.env)})
		if got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

func env(list string) func(string) string {
	m := map[string]string{}
	for _, kv := range strings.Fields(list) {
		k, v, _ := strings.Cut(kv, "=")
		m[k] = v
	}
	return func(k string) string { return m[k] }
}

func TestDetectASCII(t *testing.T) {
	for in, want := range map[string]bool{
		"LANG=en_GB.UTF-8": false, "LANG=C": true, "": true, "LC_ALL=C LANG=de_DE.UTF-8": true,
		"LANG=C.utf8": false, "LANG=C.UTF-8 TERM=linux": true, "LANG=ja_JP.UTF-8 RUNEWIDTH_EASTASIAN=1": true,
	} {
		if got := DetectASCII(false, false, env(in)); got != want {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestDetectDark(t *testing.T) {
	for in, want := range map[string][2]bool{
		"COLORFGBG=15;0": {true, true}, "COLORFGBG=0;15": {false, true}, "COLORFGBG=0;default;15": {false, true}, "": {true, false}, "COLORFGBG=x;y": {true, false},
	} {
		d, k := DetectDark(env(in))
		if d != want[0] || k != want[1] {
			t.Errorf("%q: %v %v", in, d, k)
		}
	}
}

// Without colour, selection and errors must still be visible.
func TestMonoKeepsEmphasis(t *testing.T) {
	th, _ := Builtin("dark", true)
	s := NewStyles(th, Mono, false)
	if got := s.Reverse(Text, "row"); got != "\x1b[1;7mrow\x1b[0m" {
		t.Errorf("reverse is %q", got)
	}
	if got := s.Paint(Err, "bad"); got != "\x1b[1mbad\x1b[0m" {
		t.Errorf("err is %q", got)
	}
	if got := NewStyles(th, Plain, true).Reverse(Err, "bad"); got != "bad" {
		t.Errorf("plain has codes: %q", got)
	}
}

func TestToASCII(t *testing.T) {
	in := "╭─ ✓ done ⣿⠀█ 名 é ─╮"
	got := ToASCII(in)
	for _, r := range got {
		if r >= 0x80 {
			t.Fatalf("%q is not ASCII", got)
		}
	}
	if got != "+- + done #"+" # ?? ? -+" {
		t.Errorf("got %q", got)
	}
}

func TestEveryBuiltinIsListed(t *testing.T) {
	for _, n := range Names() {
		if _, err := Builtin(n, true); err != nil {
			t.Error(err)
		}
	}
	if _, err := Builtin("pink", true); err == nil {
		t.Error("there is no theme pink")
	}
}
