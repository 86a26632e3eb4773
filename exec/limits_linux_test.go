package exec

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// uncollected starts one child after the other that ends before anybody looks, and
// that no one collects: its time is in no process.
const uncollected = `
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(2000):
    if os.fork() == 0:
        end = time.process_time() + 0.008
        while time.process_time() < end: pass
        os._exit(0)
    time.sleep(0.005)
`

func TestLimitsAreNamed(t *testing.T) {
	const mib = 1 << 20
	tests := []struct {
		name   string
		shell  string
		limits Limits
		reason Reason
	}{
		{"memory of one", "exec python3 -c 'x = bytearray(300 << 20); import time; time.sleep(60)'", Limits{MemoryBytes: 100 * mib}, ReasonLimitMemory},
		{"memory of many", "for i in 1 2 3 4; do python3 -c 'x = bytearray(60 << 20); import time; time.sleep(60)' & done; wait", Limits{MemoryBytes: 150 * mib}, ReasonLimitMemory},
		{"cpu of one", "while :; do :; done", Limits{CPUTime: 300 * time.Millisecond}, ReasonLimitCPU},
		{"cpu of children", "while :; do sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'; done", Limits{CPUTime: 300 * time.Millisecond}, ReasonLimitCPU},
		{"cpu of nobody's children", "exec python3 -c '" + uncollected + "'", Limits{CPUTime: 300 * time.Millisecond}, ReasonLimitCPU},
		{"one large file", "exec head -c 3000000 /dev/zero > f", Limits{DiskBytes: mib}, ReasonLimitDisk},
		{"many files", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); head -c 100000 /dev/zero > f$i; done", Limits{DiskBytes: mib}, ReasonLimitDisk},
		{"a sparse file", "exec truncate -s 1T f", Limits{DiskBytes: mib}, ReasonLimitDisk},
		{"processes", "for i in $(seq 50); do sleep 60 & done; wait", Limits{Processes: 20}, ReasonLimitProcesses},
	}
	for _, tt := range tests {
		for _, l := range []Level{None, Basic} {
			t.Run(tt.name+" "+l.String(), func(t *testing.T) {
				needLevels(t, l)
				if tt.shell == "exec python3 -c '"+uncollected+"'" && testRunner(t).groups.CPU() == "" {
					t.Skip("without control groups nobody counts these")
				}
				if strings.Contains(tt.shell, "python3") {
					if _, err := searchPath("python3", defaultPath); err != nil {
						t.Skip(err)
					}
				}
				res, c := do(t, Spec{Shell: tt.shell, Limits: tt.limits, Level: l, Timeout: time.Minute})
				if res.Reason != tt.reason || res.Code == 0 || res.Message == "" {
					t.Fatalf("%+v\n%s", res, c.err.String())
				}
				t.Log(res.Message)
			})
		}
	}
}

func TestOpenFilesAreLimited(t *testing.T) {
	res, c := do(t, Spec{Shell: "ulimit -n; ulimit -Hn; ls -l /proc/self/fd | grep -c -- '->'", Limits: Limits{OpenFiles: 17}})
	if got := strings.Fields(c.out.String()); res.Code != 0 || len(got) != 3 || got[0] != "17" || got[1] != "17" || got[2] != "4" {
		t.Fatalf("%+v %q %q", res, c.out.String(), c.err.String())
	}
}

// A shell that cannot limit itself ends before it answers at the gate.
func TestTheGateIsNotWaitedAtForEver(t *testing.T) {
	needLevels(t, Basic)
	ended := make(chan error, 1)
	go func() {
		// Fewer files than Check lets in: the shell cannot move file 3 out of its way.
		run, err := testRunner(t).start(t.Context(), &Spec{Shell: "true", Level: Basic, Cookie: "gate", Limits: Limits{OpenFiles: 10}})
		if err == nil {
			run.Wait()
		}
		ended <- err
	}()
	select {
	case err := <-ended:
		t.Log(err)
	case <-time.After(time.Minute):
		t.Fatal("the start never ended")
	}
}

func TestTheGateChangesNothing(t *testing.T) {
	lim := Limits{OpenFiles: 64}
	tests := []struct {
		spec Spec
		code int
		out  string
	}{
		{Spec{Shell: `echo "$0 $# $1|"; exit 7`}, 7, "sh 0 |\n"},
		{Spec{Shell: "# comment\necho 'a'\"b\" \\\n c"}, 0, "ab c\n"},
		{Spec{Shell: "cat; read x <&3"}, 2, "in"},
		{Spec{Argv: []string{"printf", "%s|", "a b", "", "-n", "$HOME"}}, 0, "a b||-n|$HOME|"},
		{Spec{Shell: "kill -9 $$"}, 137, ""},
	}
	for _, tt := range tests {
		tt.spec.Limits, tt.spec.Stdin = lim, strings.NewReader("in")
		res, c := do(t, tt.spec)
		if res.Code != tt.code || c.out.String() != tt.out {
			t.Errorf("%+v: %d %q %q", tt.spec, res.Code, c.out.String(), c.err.String())
		}
	}
	for reason, argv := range map[Reason][]string{ReasonNotFound: {"/no/such/file"}, ReasonNotExecutable: {"/etc/passwd"}} {
		_, err := testRunner(t).Start(context.Background(), Spec{Argv: argv, Limits: lim})
		var se *StartError
		if !errors.As(err, &se) || se.Reason != reason {
			t.Errorf("%v: %v", argv, err)
		}
	}
}

func TestNothingRunsWhenHeldAtTheGate(t *testing.T) {
	do(t, Spec{Argv: []string{"true"}})
	settle(t)
	fds := openFiles(t)
	mark := filepath.Join(t.TempDir(), "mark")
	for _, spec := range []Spec{{Shell: "touch " + mark}, {Argv: []string{"touch", mark}}} {
		spec.Limits = Limits{OpenFiles: 64}
		spec.Stdin = strings.NewReader(strings.Repeat("x", 1<<16))
		spec.Output = func(Stream, []byte) {}
		spec.BeforeStart = func() error {
			if _, err := os.Stat(mark); err == nil {
				t.Error("it ran before it was allowed to")
			}
			return fmt.Errorf("no")
		}
		_, err := testRunner(t).Start(context.Background(), spec)
		var se *StartError
		if !errors.As(err, &se) || se.Reason != ReasonHeld {
			t.Errorf("%v", err)
		}
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("it ran")
	}
	settle(t)
	if n := openFiles(t); n != fds {
		t.Errorf("%d files open, %d before", n, fds)
	}
}

func TestUsage(t *testing.T) {
	run, c := begin(t, context.Background(), Spec{Shell: "sleep 60 & sleep 60 & echo ready; wait"})
	done := waitAsync(run)
	<-c.line
	for deadline := time.Now().Add(10 * time.Second); ; {
		u := run.Usage()
		if u.Processes == 3 && u.MemoryBytes > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v", u)
		}
	}
	run.Cancel(-1)
	<-done
	if u := run.Usage(); u != (Usage{}) {
		t.Errorf("after the end: %+v", u)
	}
}

func TestExcess(t *testing.T) {
	l := Limits{CPUTime: time.Second, MemoryBytes: 100, DiskBytes: 100, Processes: 2}
	for reason, u := range map[Reason]use{
		"":                   {cpu: time.Second, memory: 100, disk: 100, processes: 2},
		ReasonLimitCPU:       {cpu: time.Second + 1},
		ReasonLimitMemory:    {memory: 101},
		ReasonLimitDisk:      {disk: 101},
		ReasonLimitProcesses: {processes: 3},
	} {
		if got, _ := l.excess(u); got != reason {
			t.Errorf("%+v gives %q, want %q", u, got, reason)
		}
	}
	if got, _ := (Limits{}).excess(use{cpu: 1 << 60, memory: 1 << 60}); got != "" {
		t.Errorf("no limits give %q", got)
	}
}

func TestUsageOfManyIsOneLook(t *testing.T) {
	r := testRunner(t)
	var runs []Run
	var ends []<-chan Result
	for range 8 {
		run, c := begin(t, context.Background(), Spec{Shell: "setsid sleep 60 & echo ready; wait"})
		runs, ends = append(runs, run), append(ends, waitAsync(run))
		<-c.line
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		first := r.lookedAt()
		all := true
		for _, run := range runs {
			all = all && run.Usage().Processes == 2
		}
		if all && r.lookedAt().Equal(first) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the commands are not counted, or not with one look")
		}
	}
	for i, run := range runs {
		run.Cancel(-1)
		<-ends[i]
	}
}

func (r *Runner) lookedAt() time.Time {
	r.recentMu.Lock()
	defer r.recentMu.Unlock()
	return r.recent.at
}

func TestBytesWritten(t *testing.T) {
	for _, l := range []Level{None, Basic} {
		needLevels(t, l)
		res, _ := do(t, Spec{Shell: "head -c 70000 /dev/zero > f; echo hello", Level: l})
		if res.BytesWritten < 70006 || res.BytesWritten > 140000 {
			t.Errorf("%s: 70,006 bytes are counted as %d", l, res.BytesWritten)
		}
	}
}

// TestPeakMemoryIsTheCommandsOwn: the figure of a small command must not be
// that of this process.
func TestPeakMemoryIsTheCommandsOwn(t *testing.T) {
	ballast := make([]byte, 64<<20)
	for i := range ballast {
		ballast[i] = 1
	}
	res, _ := do(t, Spec{Argv: []string{"true"}})
	if res.MaxRSS >= int64(len(ballast)) {
		t.Errorf("true used %d bytes (%d)", res.MaxRSS, ballast[0])
	}
	res, _ = do(t, Spec{Shell: "head -c 400000000 /dev/zero | tail -c 399999999 | wc -c"})
	if res.MaxRSS < 300<<20 {
		t.Errorf("a large command used only %d bytes", res.MaxRSS)
	}
}
