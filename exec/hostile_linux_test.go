package exec

import (
	"context"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task/testlength"
)

// hostile is a command that does all it can to outlive its end: a hundred
// descendants that found sessions, fork twice, ignore the polite signal, clear
// their environment, are stopped, or go on forking while they are killed.
const hostile = `
trap '' TERM INT HUP
i=0
while [ $i -lt 16 ]; do
	i=$((i+1))
	sleep MARK &
	setsid sleep MARK &
	(setsid sh -c 'trap "" TERM; sleep MARK & wait' &)
	(cd / && exec env -i setsid sh -c 'sleep MARK & sleep MARK & wait' </dev/null >/dev/null 2>&1 &)
	sh -c 'kill -STOP $$; : MARK' &
done
(setsid sh -c 'trap "" TERM; while :; do (setsid sleep MARK &); sleep 0.005; done' &)
sh -c 'trap "" TERM; while :; do (sleep MARK &) ; sleep 0.005; done' &
echo ready
wait
wait
sleep MARK
`

// witness counts, in a process outside of the command's tree, the processes
// whose arguments hold the mark.
func witness(t *testing.T, mark string) int {
	t.Helper()
	out, err := osexec.Command("sh", "-c", `cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | grep -c -- "$1" || :`, "sh", "["+mark[:1]+"]"+mark[1:]).Output()
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// rounds is short at the gate and long when asked for. OCTASKLY_LONG=200 asks for at
// most 200, OCTASKLY_LONG=1 for all. In plain runs, and with -short, which is for what
// another run has shown already, a quarter will do.
func rounds(short, long int) int {
	v := os.Getenv("OCTASKLY_LONG")
	if n, err := strconv.Atoi(v); err == nil && n > 1 {
		return min(n, long)
	}
	if v != "" {
		return long
	}
	quarter := (short + 3) / 4
	if testing.Short() {
		return quarter
	}
	return testlength.Of(quarter, short, long)
}

// bomb forks without end, in sessions of its own, as far as its limit lets it.
// The main process itself forks once only, so that it does not end with that.
const bomb = `
trap '' TERM
sh -c 'while :; do (setsid sh -c "sleep MARK & sleep MARK & wait; :" &); done' 2>/dev/null &
echo ready
wait
exec sleep MARK
`

// TestTreesAreGoneAfterCancel ends commands that do all they can to live on,
// when their grace is over, and counts from outside what is left.
func TestTreesAreGoneAfterCancel(t *testing.T) {
	kinds := []struct {
		name   string
		shell  string
		limits Limits
		least  int // processes there must be to kill
	}{
		{"hostile", hostile, Limits{}, 100},
		{"fork bomb", bomb, Limits{Processes: 200}, 20},
	}
	for _, k := range kinds {
		for _, l := range []Level{None, Basic, VeryStrict} {
			if k.limits.Processes > 0 && l != Basic && os.Getenv("OCTASKLY_LONG") == "" {
				continue
			}
			t.Run(k.name+" "+l.String(), func(t *testing.T) {
				needLevels(t, l)
				var took []time.Duration
				for i := range rounds(20, 1000) {
					mark := fmt.Sprintf("%d%05d", 70000+i, os.Getpid())
					took = append(took, endHostile(t, Spec{Shell: strings.ReplaceAll(k.shell, "MARK", mark), Level: l, Limits: k.limits}, mark, k.least))
				}
				slices.Sort(took)
				t.Logf("%d rounds, nothing left; from the end of the grace: median %v, p99 %v, slowest %v",
					len(took), took[len(took)/2], took[len(took)*99/100], took[len(took)-1])
			})
		}
	}
}

// endHostile starts a command, ends it without grace when it has enough
// processes, and returns how long that took.
func endHostile(t *testing.T, spec Spec, mark string, least int) time.Duration {
	t.Helper()
	if spec.Limits.Processes > 0 && testRunner(t).Capabilities().Processes == "poll" {
		t.Skip("nothing here keeps a process limit")
	}
	run, c := begin(t, context.Background(), spec)
	done := waitAsync(run)
	<-c.line
	for deadline := time.Now().Add(20 * time.Second); witness(t, mark) < least; {
		if time.Now().After(deadline) {
			t.Fatalf("only %d descendants to kill", witness(t, mark))
		}
	}
	at := time.Now()
	run.Cancel(-1)
	res := <-done
	took := time.Since(at)
	// A shell that can start nothing more ends by itself.
	ended := res.Reason == ReasonCancelled || spec.Limits.Processes > 0 && res.Reason == ReasonLimitProcesses
	if n := witness(t, mark); n != 0 || len(res.Survivors) > 0 || !ended {
		t.Fatalf("%d processes survived; %+v", n, res)
	}
	return took
}

func TestHostileTreesSideBySide(t *testing.T) {
	type one struct {
		run  Run
		done <-chan Result
		mark string
	}
	for i := range rounds(3, 30) {
		var all []one
		for j := range 3 {
			mark := fmt.Sprintf("%d%05d", 8000+10*i+j, os.Getpid())
			run, c := begin(t, context.Background(), Spec{Shell: strings.ReplaceAll(hostile, "MARK", mark)})
			all = append(all, one{run, waitAsync(run), mark})
			<-c.line
		}
		for _, o := range all {
			o.run.Cancel(-1)
		}
		for _, o := range all {
			<-o.done
		}
		for _, o := range all {
			if n := witness(t, o.mark); n != 0 {
				t.Fatalf("round %d: %d processes survived", i, n)
			}
		}
	}
}

func TestLeftoversOfACrashedWorkerAreFound(t *testing.T) {
	mark := fmt.Sprintf("9000%05d", os.Getpid())
	prefix := "crashed-" + mark
	// What a worker that was killed leaves: processes with its cookie, not
	// known to this Runner, in sessions of their own.
	cmd := osexec.Command("sh", "-c", "(setsid sh -c 'sleep "+mark+" & (env -i setsid sleep "+mark+" &) ; sleep "+mark+"; :' &); (setsid sleep "+mark+" &)")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), cookieName + "=" + prefix + "-1"}
	cmd.Dir = filepath.Join(testRunner(t).dirs.root, "old"+mark)
	if err := os.Mkdir(cmd.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); witness(t, mark) < 4; {
		if time.Now().After(deadline) {
			t.Fatal("the processes did not start")
		}
	}
	own, c := begin(t, context.Background(), Spec{Shell: "echo ready; sleep 60", Cookie: prefix + "-mine"})
	done := waitAsync(own)
	<-c.line
	killed, err := testRunner(t).SweepLeftovers(context.Background(), prefix)
	if err != nil || killed < 4 {
		t.Errorf("killed %d: %v", killed, err)
	}
	if n := witness(t, mark); n != 0 {
		t.Errorf("%d are alive", n)
	}
	select {
	case res := <-done:
		t.Fatalf("a command of this Runner was hit: %+v", res)
	default:
	}
	own.Cancel(-1)
	<-done
	if _, err := testRunner(t).SweepLeftovers(context.Background(), ""); err == nil {
		t.Error("an empty cookie was accepted")
	}
}

// TestRemaining asks after a process that lives, has ended, and was collected.
func TestRemaining(t *testing.T) {
	cmd := osexec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ask := remaining([]int{cmd.Process.Pid})
	if left := ask(); len(left) != 1 || left[0] != cmd.Process.Pid {
		t.Errorf("while it lives: %v", left)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if left := ask(); len(left) != 0 {
		t.Errorf("when it has ended: %v", left)
	}
}
