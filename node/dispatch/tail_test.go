package dispatch

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/adauldev/octaskly/node/control"
)

// lastLines is the plain way to say what tail does.
func lastLines(s string, want int) string {
	parts := strings.SplitAfter(s, "\n")
	if parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return strings.Join(parts[max(0, len(parts)-want):], "")
}

func tailOf(want int, pieces []string) string {
	tl := tail{want: want}
	for _, p := range pieces {
		tl.add([]control.Chunk{{Stream: 1, Data: []byte(p)}})
	}
	var b strings.Builder
	for _, c := range tl.lines() {
		b.Write(c.Data)
	}
	return b.String()
}

func TestTailLines(t *testing.T) {
	for _, tc := range []struct {
		name   string
		want   int
		pieces []string
		out    string
	}{
		{"nothing", 3, nil, ""},
		{"fewer than wanted", 3, []string{"a\n"}, "a\n"},
		{"exactly", 2, []string{"a\nb\n"}, "a\nb\n"},
		{"in one piece", 1, []string{"a\nb\nc\n"}, "c\n"},
		{"over pieces", 2, []string{"a\n", "b\n", "c\n"}, "b\nc\n"},
		{"no end counts as one", 1, []string{"a\n", "b\n", "c"}, "c"},
		{"no end in one piece", 1, []string{"a\nb"}, "b"},
		{"a line in pieces", 1, []string{"a\nb", "c", "d\n"}, "bcd\n"},
		{"a last line in pieces", 1, []string{"a\n", "b", "c"}, "bc"},
		{"empty lines", 2, []string{"\n\n\n"}, "\n\n"},
		{"empty pieces", 1, []string{"a\n", "", "b\n", ""}, "b\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tailOf(tc.want, tc.pieces); got != tc.out {
				t.Errorf("%q, want %q", got, tc.out)
			}
		})
	}
}

func TestTailLinesAgainstThePlainWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOf(rapid.StringMatching("[ab\n]{0,6}")).Draw(t, "pieces")
		want := rapid.IntRange(1, 6).Draw(t, "want")
		if got, plain := tailOf(want, pieces), lastLines(strings.Join(pieces, ""), want); got != plain {
			t.Fatalf("%q, want %q", got, plain)
		}
	})
}
