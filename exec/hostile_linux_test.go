package exec

import (
	"context"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
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
	(env -i setsid sh -c 'sleep MARK & sleep MARK & wait' </dev/null >/dev/null 2>&1 &)
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

// rounds is short in ordinary runs and long when asked for.
func rounds(short, long int) int {
	if os.Getenv("OCTASKLY_LONG") != "" {
		return long
	}
	return short
}

func TestHostileTreeIsGoneAfterCancel(t *testing.T) {
	var slowest time.Duration
	for i := range rounds(20, 100) {
		mark := fmt.Sprintf("%d%05d", 7000+i, os.Getpid())
		run, c := begin(t, context.Background(), Spec{Shell: strings.ReplaceAll(hostile, "MARK", mark)})
		done := waitAsync(run)
		<-c.line
		if n := witness(t, mark); n < 100 {
			t.Fatalf("round %d: only %d descendants to kill", i, n)
		}
		at := time.Now()
		run.Cancel(-1)
		res := <-done
		slowest = max(slowest, time.Since(at))
		if n := witness(t, mark); n != 0 || len(res.Survivors) > 0 {
			t.Fatalf("round %d: %d processes survived; %+v", i, n, res)
		}
		if res.Reason != ReasonCancelled || res.Swept < 90 {
			t.Fatalf("round %d: %+v", i, res)
		}
	}
	t.Logf("slowest end: %v", slowest)
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
