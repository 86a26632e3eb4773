package part

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestDelta(t *testing.T) {
	red := "\x1b[31m"
	for _, c := range []struct{ name, old, now, want string }{
		{"the same", "ab", "ab", ""},
		{"nothing known", "", "ab", "\x1b[3Hab\x1b[0m"},
		{"one word", "one two three", "one six three", "\x1b[3;5Hsix"},
		{"a part of a word is the word", "state stdout only.", "state stdout ends.", "\x1b[3;14Hends."},
		{"two words near each other", "10:00:01 up 12 of many", "10:00:02 up 13 of many", "\x1b[3H10:00:02 up 13"},
		{"two words far apart", "1 ............ two", "2 ............ six", "\x1b[3H2\x1b[3;16Hsix"},
		{"only the paint", "ab cd", "ab " + red + "cd" + reset, "\x1b[3;4H" + red + "cd\x1b[m"},
		{"the rest becomes empty", "ab cdefgh", "ab       ", "\x1b[3;4H\x1b[K"},
		{"wide ones are written whole", "ab 中 x", "ab 中 y", "\x1b[3Hab 中 y\x1b[0m"},
		{"another width is written whole", "abc", "ab", "\x1b[3Hab\x1b[0m"},
	} {
		if got := string(Delta(nil, 3, c.old, c.now)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// glass is as much of a terminal as Delta needs: rows of painted columns.
type glass struct{ rows [][]patchCell }

func newGlass(w, h int) *glass {
	g := &glass{}
	for range h {
		g.rows = append(g.rows, make([]patchCell, w))
	}
	return g
}

func (g *glass) take(t *testing.T, s string) {
	t.Helper()
	y, x, paint := 0, 0, ""
	for len(s) > 0 {
		if !strings.HasPrefix(s, csi) {
			r := []rune(s)[0]
			g.rows[y][x] = patchCell{paint, string(r)}
			x += Width(string(r))
			s = s[len(string(r)):]
			continue
		}
		code, rest := cutCode(s)
		switch code[len(code)-1] {
		case 'H':
			y, x = 1, 1
			_, _ = fmt.Sscanf(code[2:], "%d;%d", &y, &x)
			y, x = y-1, x-1
		case 'm':
			if paint += code; code == reset || code == "\x1b[m" {
				paint = ""
			}
		case 'K':
			for i := x; i < len(g.rows[y]); i++ {
				g.rows[y][i] = patchCell{paint, " "}
			}
		default:
			t.Fatalf("an unknown code %q", code)
		}
		s = rest
	}
	if paint != "" {
		t.Errorf("the paint %q was left on", paint)
	}
}

// A terminal that got only the differences shows what one shows that got
// everything.
func TestDeltaLeavesTheWholeLine(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	words := []string{"up", "▸ running", "12%", "███░░", "中文", "é", "e\u0301x", "⚡", "-", ""}
	paints := []string{"", "\x1b[1m", "\x1b[38;5;12m", "\x1b[1m\x1b[7m"}
	const w = 48
	line := func() string {
		l := ""
		for Width(l) < w {
			if p := paints[r.IntN(len(paints))]; p != "" {
				l += p + words[r.IntN(len(words))] + reset
			} else {
				l += words[r.IntN(len(words))]
			}
			l += spaces(r.IntN(6))
		}
		return Fit(l, w)
	}
	diff, full := newGlass(w+2, 2), newGlass(w+2, 2)
	old := ""
	for i := range 3000 {
		now := line()
		if old != "" && i%2 == 0 { // a small change
			k := strings.IndexByte(old, ' ')
			now = old[:max(k, 0)] + strings.Replace(old[max(k, 0):], " ", "x", 1)
		}
		diff.take(t, string(Delta(nil, 2, old, now)))
		full.take(t, "\x1b[2H"+now+reset)
		if got, want := fmt.Sprint(diff.rows), fmt.Sprint(full.rows); got != want {
			t.Fatalf("step %d, from %q to %q:\n%q\n%q", i, old, now, got, want)
		}
		old = now
	}
}
