package text

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
)

func TestSplitWords(t *testing.T) {
	for in, want := range map[string][]string{
		"":                    nil,
		"  ":                  nil,
		"a b":                 {"a", "b"},
		"A='x y' B=2":         {"A=x y", "B=2"},
		`A="it's" B=C:\dir`:   {"A=it's", `B=C:\dir`},
		`"two\nlines" ''`:     {"two\nlines", ""},
		`a'b'"c"`:             {"abc"},
		`'say "hi"' "\u00e4"`: {`say "hi"`, "ä"},
	} {
		if got, err := SplitWords(in, " "); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v; want %q", in, got, err, want)
		}
	}
	for in, want := range map[string]string{`a 'b`: "not closed", `"a`: "not closed", `"\q"`: "not known"} {
		if got, err := SplitWords(in, " "); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want %q", in, got, err, want)
		}
	}
}

// TestAssignmentsAreReadBack: what stands in a copy of a task is what the task had.
func TestAssignmentsAreReadBack(t *testing.T) {
	for _, m := range []map[string]string{
		nil, {"A": "1"}, {"A": "x y"}, {"A": ""}, {"A": "it's", "B": `"quoted"`, "C": "a,b", "D": "k=v"}, {"A": "two\nlines\t\x00\x7f\u202e"}, {"A": `back\slash`}, {"A": "'\"\\"}, {"A": "\xff"},
	} {
		line := JoinAssignments(m)
		if strings.ContainsAny(line, "\n\t") {
			t.Errorf("%q has several lines", line)
		}
		if got, err := SplitAssignments(line, true); err != nil || !maps.Equal(got, m) {
			t.Errorf("%q is written %s and read as %q, %v", m, line, got, err)
		}
	}
}

func FuzzAssignments(f *testing.F) {
	f.Add("A", "x y")
	f.Fuzz(func(t *testing.T, k, v string) {
		if k == "" || strings.ContainsAny(k, "= ,\t'\"") {
			return
		}
		m := map[string]string{k: v}
		if got, err := SplitAssignments(JoinAssignments(m), true); err != nil || !maps.Equal(got, m) {
			t.Errorf("%q is written %s and read as %q, %v", m, JoinAssignments(m), got, err)
		}
	})
}

func TestReadAssignments(t *testing.T) {
	env := map[string]string{}
	long := strings.Repeat("x", 100<<10)
	if err := ReadAssignments([]byte("# a comment\n\nA=1\n B =x y \r\nLONG="+long), env); err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{"A": "1", "B": "x y", "LONG": long}; !maps.Equal(env, want) {
		t.Errorf("read %.80q", env)
	}
	for in, want := range map[string]string{
		"A=1\nB": "line 2",
		"\nA=" + strings.Repeat("x", task.MaxEnvBytes+1): "line 2",
		strings.Repeat("#\n", maxAssignments):            "at most",
	} {
		if err := ReadAssignments([]byte(in), env); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "bufio") {
			t.Errorf("%.20q: %v, want %q", in, err, want)
		}
	}
}
