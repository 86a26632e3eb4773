//go:build darwin || linux

package exec

import (
	"slices"
	"strings"
	"testing"
)

func TestSeatbelt(t *testing.T) {
	evil := `/a") (allow default) ("`
	for _, l := range []Level{Basic, Strict} {
		s := seatbelt{level: l, writable: []string{"/w/1", evil}, protected: []string{"/w", evil + "2"}}
		argv := s.argv("/bin/sh", []string{"-c", "true"})
		text := argv[2]
		if strings.Contains(text, "/w") || strings.Contains(text, evil) {
			t.Errorf("%s: a path is in the profile:\n%s", l, text)
		}
		if strings.Count(text, "(") != strings.Count(text, ")") {
			t.Errorf("%s: brackets do not match:\n%s", l, text)
		}
		if strings.Contains(text, "(deny default)") != (l == Strict) || strings.Contains(text, "(allow default)") != (l == Basic) || strings.Contains(text, "network") {
			t.Errorf("%s:\n%s", l, text)
		}
		if strings.Index(text, `(param "WRITE1")`) < strings.Index(text, `(param "PROTECT1")`) {
			t.Errorf("%s: what is protected would win over the own directory", l)
		}
		want := []string{"-D", "WRITE0=/w/1", "-D", "WRITE1=" + evil, "-D", "PROTECT0=/w", "-D", "PROTECT1=" + evil + "2", "/bin/sh", "-c", "true"}
		if !slices.Equal(argv[:2], []string{seatbeltProgram, "-p"}) || !slices.Equal(argv[3:], want) {
			t.Errorf("%s: %q", l, argv)
		}
	}
}
