package node

import (
	"strings"
	"testing"

	"github.com/adauldev/octaskly/exec"
	"github.com/adauldev/octaskly/queue/task"
)

// TestStanding: which floors a node may have, and what is said about them.
func TestStanding(t *testing.T) {
	var all, bare exec.Capabilities
	for i := range all.Levels {
		all.Levels[i].Available = true
		bare.Levels[i].Reason = "the kernel has no Landlock"
	}
	bare.Levels[exec.None].Available = true
	for _, tc := range []struct {
		name    string
		s       standing
		warning string
		refusal string
	}{
		{"an ordinary user", standing{floor: exec.Basic, caps: all}, "", ""},
		{"root", standing{floor: exec.Basic, caps: all, root: true, user: "nobody"}, "tasks run as nobody", ""},
		{"root with leave for root tasks", standing{floor: exec.Strict, caps: all, root: true, allowed: true, user: "tasks"}, "tasks run as tasks", ""},
		{"level none", standing{floor: exec.None, caps: all}, "this user can", ""},
		{"level none as root", standing{floor: exec.None, caps: all, root: true}, "", "--allow-root-tasks"},
		{"level none as root, allowed", standing{floor: exec.None, caps: all, root: true, allowed: true}, "root can", ""},
		{"level none as root, but it takes none", standing{floor: exec.None, caps: all, root: true, idle: true}, "", ""},
		{"a worker where nothing can be contained", standing{floor: exec.Basic, caps: bare, only: true}, "", "--sandbox-level none"},
		{"a dispatcher there", standing{floor: exec.Basic, caps: bare}, "takes no tasks", ""},
		{"a dispatcher that was asked for strict", standing{floor: exec.Strict, caps: bare}, "", "no Landlock"},
		{"a dispatcher there without slots", standing{floor: exec.Strict, caps: bare, idle: true}, "", ""},
	} {
		warnings, err := tc.s.judge()
		if got := strings.Join(warnings, "\n"); !strings.Contains(got, tc.warning) || (got == "") != (tc.warning == "") {
			t.Errorf("%s: it warns %q, want %q", tc.name, got, tc.warning)
		}
		got := ""
		if err != nil {
			got = err.Error() + task.HintOf(err)
		}
		if !strings.Contains(got, tc.refusal) || (got == "") != (tc.refusal == "") {
			t.Errorf("%s: it is refused with %q, want %q", tc.name, got, tc.refusal)
		}
	}
}

// TestLevelsFrom: a worker prepares its floor and what is stricter, nothing below.
func TestLevelsFrom(t *testing.T) {
	for floor, n := range map[exec.Level]int{exec.None: 4, exec.Basic: 3, exec.VeryStrict: 1} {
		if all := levelsFrom(floor); len(all) != n || all[0] != floor {
			t.Errorf("from %s: %v", floor, all)
		}
	}
}
