package exec

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNothingHidesBehindAnotherCommand: a process that has shed every mark of its
// command, or bears those of another, goes with its own command although that
// other one, which is as old, runs on.
func TestNothingHidesBehindAnotherCommand(t *testing.T) {
	for _, l := range []Level{None, Basic, Strict} {
		if !haveLevel(t, l) {
			continue
		}
		for name, shed := range map[string]string{
			"sheds all":        `cd / && exec env -i setsid sleep MARK`,
			"in another's dir": `cd "$OTHER" && exec env -i setsid sleep MARK`,
			"another's cookie": `cd / && exec env -i OCTASKLY_COOKIE="$COOKIE" setsid sleep MARK`,
		} {
			t.Run(l.String()+" "+name, func(t *testing.T) {
				mark := fmt.Sprintf("4%d%d%05d", l, len(name), os.Getpid())
				other, c := begin(t, context.Background(), Spec{Shell: "pwd; exec sleep 600", Level: l, Cookie: "other" + mark})
				done := waitAsync(other)
				<-c.line
				dir := filepath.Dir(strings.TrimSpace(c.out.String()))
				shed := strings.ReplaceAll(shed, "MARK", mark)
				do(t, Spec{Shell: "(" + shed + ") </dev/null >/dev/null 2>&1 & sleep 0.3", Level: l, Env: []string{"OTHER=" + dir, "COOKIE=other" + mark}})
				left := witness(t, mark)
				other.Cancel(-1)
				<-done
				if left != 0 {
					t.Errorf("%d processes outlived their command", left)
				}
			})
		}
	}
}
