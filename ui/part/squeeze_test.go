package part

import "testing"

func TestSqueeze(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"plain", "plain"},
		{"\x1b[1mA\x1b[0m", "\x1b[1mA\x1b[0m"},
		{"\x1b[1mA\x1b[0m\x1b[1mB\x1b[0m", "\x1b[1mAB\x1b[0m"},
		{"\x1b[1mA\x1b[0m\x1b[2mB\x1b[0m", "\x1b[1mA\x1b[0m\x1b[2mB\x1b[0m"},
		{"\x1b[1mA\x1b[0m \x1b[1mB\x1b[0m", "\x1b[1mA\x1b[0m \x1b[1mB\x1b[0m"},
		{"\x1b[7m\x1b[1mA\x1b[0m\x1b[7m\x1b[1mB\x1b[0m\x1b[7mC\x1b[0m", "\x1b[7m\x1b[1mAB\x1b[0m\x1b[7mC\x1b[0m"},
		{"a\x1b[0m\x1b[0mb", "a\x1b[0m\x1b[0mb"},
		{"\x1b[1", "\x1b[1"},
	} {
		if got := Squeeze(c.in); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
		if again := Squeeze(Squeeze(c.in)); again != c.want {
			t.Errorf("%q: twice %q", c.in, again)
		}
	}
}

// Whatever the codes are, the cells and their paint stay.
func FuzzSqueeze(f *testing.F) {
	f.Add([]byte{0, 1, 0, 1, 2, 0, 3, 3})
	f.Fuzz(func(t *testing.T, in []byte) {
		pieces := []string{"\x1b[1m", "\x1b[38;5;240m", "\x1b[0m", "x", "é", " "}
		line := ""
		for _, b := range in {
			line += pieces[int(b)%len(pieces)]
		}
		if got, want := painted(Squeeze(line)), painted(line); got != want {
			t.Errorf("%q became %q", line, Squeeze(line))
		}
	})
}

// painted writes before each cell the codes that it is under.
func painted(s string) string {
	out, paint := "", ""
	for s != "" {
		if s[0] == '\x1b' {
			code, rest := cutCode(s)
			if paint += code; code == reset {
				paint = ""
			}
			s = rest
			continue
		}
		out += paint + s[:1]
		s = s[1:]
	}
	return out
}
