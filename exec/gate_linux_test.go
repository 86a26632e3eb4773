package exec

import (
	"strings"
	"testing"
)

// What goes over the gate arrives as it is, whatever is in it, and stays out of what
// others can read.
func TestEnvironmentAtTheGate(t *testing.T) {
	values := map[string]string{
		"PLAIN": "text", "EMPTY": "", "QUOTES": `a'b"c`, "LINES": "one\ntwo\n", "CODE": "$(echo no) `echo no` $HOME \\n", "DOT": ".",
		"IFS": "x", "_line": "kept out", "PPID": "1", "BYTES": "\x01\xff", "LONG": strings.Repeat("long'\n", 20000),
	}
	spec := Spec{Argv: []string{"/usr/bin/env", "-0"}, Limits: Limits{OpenFiles: 64}}
	for name, v := range values {
		spec.Env = append(spec.Env, name+"="+v)
	}
	for l := None; l.Valid(); l++ {
		if !haveLevel(t, l) {
			continue
		}
		spec.Level = l
		res, c := do(t, spec)
		got := map[string]string{}
		for kv := range strings.SplitSeq(c.out.String(), "\x00") {
			name, v, _ := strings.Cut(kv, "=")
			got[name] = v
		}
		if res.Code != 0 {
			t.Errorf("%s: %+v %s", l, res, c.err.String())
		}
		for name, want := range values {
			if name != "_line" && name != "PPID" && got[name] != want {
				t.Errorf("%s: %s is %.80q, not %.80q", l, name, got[name], want)
			}
		}
		if _, there := got["_nl"]; there {
			t.Errorf("%s: the gate's own variables are left", l)
		}
	}
}

func TestGateLines(t *testing.T) {
	env := []string{"A=1", "B=it's\nso", "C.D=no", "HOME=/h", "PPID=1", "=x", "9=x", "BASH_FUNC_read%%=() { :; }"}
	want := "export A='1'\nexport B='it'\\''s'\"$_nl\"'so'\n"
	if got := gateLines(env, []string{"HOME=/h"}); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
