package exec

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestBackgroundProcessesDoNotOutliveTheCommand(t *testing.T) {
	cookie := fmt.Sprintf("bg-%d", os.Getpid())
	for _, cmd := range []string{
		"sleep 1000 & exit 0",
		"setsid sleep 1000 & exit 0",
		"(setsid sleep 1000 </dev/null >/dev/null 2>&1 &) ; exit 0",
		"env -i setsid sleep 1000 & exit 0",
		"(cd / && env -i setsid sh -c 'sleep 1000 </dev/null >/dev/null 2>&1 & exit' &); sleep 0.1; exit 0",
		"sleep 0.3; (cd / && env -i setsid sh -c 'sleep 1000 </dev/null >/dev/null 2>&1 & exit' &); sleep 0.1; exit 0",
		"nohup sleep 1000 >/dev/null 2>&1 & kill -STOP $!; exit 0",
	} {
		res, _ := do(t, Spec{Shell: cmd, Cookie: cookie})
		if res.Code != 0 || res.Reason != ReasonExit || res.Swept == 0 {
			t.Errorf("%q: %+v", cmd, res)
		}
	}
	if left := sleepers(); len(left) > 0 {
		t.Errorf("still alive: %v", left)
	}
}

// sleepers are living children of this process that run "sleep 1000".
func sleepers() (pids []int) {
	table := openProcTable()
	defer table.close()
	_ = table.all(func(pid int) bool {
		var buf [64]byte
		s, ok := readStat(pid)
		if !ok || s.dead() {
			return true
		}
		if line, ok := readProc(pid, "cmdline", buf[:]); ok && strings.HasPrefix(string(line), "sleep\x001000\x00") {
			pids = append(pids, pid)
		}
		return true
	})
	return pids
}

func TestOneSweepSparesTheOtherCommand(t *testing.T) {
	long, c := begin(t, context.Background(), Spec{Shell: "setsid sh -c 'echo ready; exec sleep 60' & wait; echo never"})
	done := waitAsync(long)
	<-c.line
	for range 20 {
		run, c := begin(t, context.Background(), Spec{Shell: "setsid sleep 1000 & echo ready; wait"})
		d := waitAsync(run)
		<-c.line
		run.Cancel(-1)
		<-d
	}
	select {
	case res := <-done:
		t.Fatalf("the other command was hit: %+v", res)
	default:
	}
	long.Cancel(-1)
	if res := <-done; res.Swept == 0 {
		t.Fatalf("%+v", res)
	}
}

func TestUnmarkedStrayGoesWithTheLastThatMayOwnIt(t *testing.T) {
	older, c := begin(t, context.Background(), Spec{Shell: "echo ready; sleep 60"})
	done := waitAsync(older)
	<-c.line
	do(t, Spec{Shell: "cd /; env -i setsid sh -c 'sleep 1000 </dev/null >/dev/null 2>&1 & exit'; sleep 0.05"})
	older.Cancel(-1)
	<-done
	if left := sleepers(); len(left) > 0 {
		t.Fatalf("still alive: %v", left)
	}
}

// TestAnEndedCommandIsNobodysLeftover looks with a table from before another
// command had ended and was cleared away: its main process is no leftover of
// the one that still runs.
func TestAnEndedCommandIsNobodysLeftover(t *testing.T) {
	r := testRunner(t)
	long, c := begin(t, context.Background(), Spec{Shell: "echo ready; exec sleep 60"})
	done := waitAsync(long)
	<-c.line
	other, c := begin(t, context.Background(), Spec{Shell: "echo ready; exec sleep 60"})
	gone := waitAsync(other)
	<-c.line
	table := r.readTable()
	if _, ok := table.seen[other.PID()]; !ok {
		t.Fatal("the table lacks a command that runs")
	}
	other.Cancel(-1)
	<-gone
	if s := r.owned(long.(*process), table, likely); len(s.members) != 1 || s.members[0].pid != long.PID() {
		t.Errorf("taken for the processes of %d: %+v", long.PID(), s.members)
	}
	long.Cancel(-1)
	<-done
}
