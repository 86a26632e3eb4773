package exec

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

// TestManyAtOnceDoNotHarmEachOther runs all kinds of commands side by side:
// each must end as it would alone, and nothing may be left.
func TestManyAtOnceDoNotHarmEachOther(t *testing.T) {
	needLevels(t, Basic, Strict)
	mark := fmt.Sprintf("5000%05d", os.Getpid())
	// alone is a command none of whose processes outlives it in a session of
	// its own: nothing of it may be found by the sweep.
	const alone, mayStray = true, false
	kinds := []struct {
		spec  Spec
		code  int
		out   string
		alone bool
	}{
		{Spec{Argv: []string{"true"}}, 0, "", alone},
		{Spec{Argv: []string{"echo", "x"}, Level: Basic}, 0, "x\n", alone},
		{Spec{Shell: "setsid sleep " + mark + " & exit 4"}, 4, "", mayStray},
		{Spec{Shell: "(sleep 0.02; echo late) & wait; exit 3"}, 3, "late\n", alone},
		{Spec{Shell: "setsid sh -c 'sleep 0.03; echo own'; exit 5", Level: Strict}, 5, "own\n", mayStray},
		{Spec{Shell: "echo a | cat | cat"}, 0, "a\n", alone},
		{Spec{Shell: "(setsid sleep " + mark + " >/dev/null 2>&1 &); exit 0", Level: Basic}, 0, "", mayStray},
		{Spec{Shell: "ulimit -n", Limits: Limits{OpenFiles: 33}}, 0, "33\n", alone},
		{Spec{Argv: []string{"cat", "/etc/hostname"}, Level: Basic, Env: []string{"LC_ALL=C"}}, 0, hostname(), alone},
	}
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			for i := range rounds(60, 2000) {
				k := kinds[(i*7+w)%len(kinds)]
				res, c := do(t, k.spec)
				if res.Code != k.code || res.Reason != ReasonExit || c.out.String() != k.out || (k.alone && res.Swept > 0) {
					t.Errorf("%v %q: %+v, wrote %q %q", k.spec.Argv, k.spec.Shell, res, c.out.String(), c.err.String())
				}
			}
		})
	}
	wg.Wait()
	if n := witness(t, mark); n != 0 {
		t.Errorf("%d processes are left", n)
	}
}

func hostname() string {
	b, _ := os.ReadFile("/etc/hostname")
	return string(b)
}
