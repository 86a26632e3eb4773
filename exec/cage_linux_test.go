package exec

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestCageShowsOnlyWhatItShould(t *testing.T) {
	needLevels(t, VeryStrict)
	tests := []struct {
		cmd  string
		code int
		out  string
	}{
		{"hostname", 0, "octaskly\n"},
		{"echo a > f && cat f && ls", 0, "a\nf\n"},
		{"grep -c : /proc/net/dev", 0, "1\n"},
		{"kill -9 1 2>/dev/null; echo alive; kill -9 $$", 137, "alive\n"},
		{"ls -d /home /root /sys /boot /dev/shm /var/log 2>/dev/null", 2, ""},
		{"touch /x /etc/x /usr/x 2>/dev/null", 1, ""},
		{"setsid sleep 1000 & exit 4", 4, ""},
	}
	for _, tt := range tests {
		res, c := do(t, Spec{Shell: tt.cmd, Level: VeryStrict})
		if res.Code != tt.code || c.out.String() != tt.out {
			t.Errorf("%s: %d %s %q %q", tt.cmd, res.Code, res.Message, c.out.String(), c.err.String())
		}
	}
	if left := sleepers(); len(left) > 0 {
		t.Errorf("still alive: %v", left)
	}
}

func TestCageKeepsADiskLimitExactly(t *testing.T) {
	needLevels(t, VeryStrict)
	lim := Limits{DiskBytes: 1 << 20}
	res, c := do(t, Spec{Shell: "head -c 1048576 /dev/zero > f && wc -c < f", Level: VeryStrict, Limits: lim})
	if res.Code != 0 || c.out.String() != "1048576\n" || !strings.Contains(res.Enforced, "tmpfs") {
		t.Errorf("%+v %s", res, c.err.String())
	}
	res, _ = do(t, Spec{Shell: "head -c 600000 /dev/zero > f && head -c 600000 /dev/zero > g", Level: VeryStrict, Limits: lim})
	if res.Reason != ReasonLimitDisk {
		t.Errorf("%+v", res)
	}
}

func TestCageWithADirectory(t *testing.T) {
	needLevels(t, VeryStrict)
	dir, err := os.MkdirTemp("/var/tmp", "octaskly-given-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	res, c := do(t, Spec{Shell: "pwd && echo x > here", Dir: dir, Level: VeryStrict})
	if b, _ := os.ReadFile(filepath.Join(dir, "here")); res.Code != 0 || string(b) != "x\n" || c.out.String() != dir+"\n" {
		t.Errorf("%+v %q %s", res, c.out.String(), c.err.String())
	}
	res, _ = do(t, Spec{Shell: "echo kept > f", Keep: true, Level: VeryStrict})
	defer os.RemoveAll(filepath.Dir(res.Dir))
	if b, err := os.ReadFile(filepath.Join(res.Dir, "f")); string(b) != "kept\n" {
		t.Errorf("%+v %v", res, err)
	}
}

func TestCageIsAskedToEnd(t *testing.T) {
	needLevels(t, VeryStrict)
	run, c := begin(t, context.Background(), Spec{Shell: "trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.01; done", Level: VeryStrict})
	done := waitAsync(run)
	<-c.line
	run.Cancel(time.Minute)
	if res := <-done; res.Code != 3 || c.out.String() != "ready\nbye\n" {
		t.Errorf("asked to end: %+v %q", res, c.out.String())
	}
}

func TestRanges(t *testing.T) {
	if got := fmt.Sprint(ranges([]int{1, 2, 3, 7, 9, 10})); got != "[[1 3] [7 7] [9 10]]" {
		t.Error(got)
	}
	if got := ranges(nil); got != nil {
		t.Error(got)
	}
}
