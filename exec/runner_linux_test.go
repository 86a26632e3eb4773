package exec

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// shared is the one Runner of the test process.
var shared = sync.OnceValues(func() (*Runner, error) {
	dir, err := os.MkdirTemp("", "octaskly-exec-")
	if err != nil {
		return nil, err
	}
	if err := plantHome(); err != nil {
		return nil, err
	}
	return NewRunner(Options{
		WorkRoot: dir, Levels: []Level{None, Basic, Strict, VeryStrict}, Logger: slog.New(slog.DiscardHandler),
		// Where tests have a directory of their own is in a home for an ordinary user in CI.
		AllowDirs: []string{os.TempDir(), "/dev/shm", testHome + "/project"}, AllowRead: []string{testHome + "/data", testHome + "/list"},
	})
})

func TestMain(m *testing.M) {
	imitateKernel()
	if os.Getenv(probeEnv) != "" {
		tryToEscape()
		os.Exit(0)
	}
	if dir := os.Getenv(workerEnv); dir != "" {
		workUntilKilled(dir)
	}
	code := m.Run()
	if r, err := shared(); err == nil {
		_ = r.Close()
		_ = os.RemoveAll(r.opt.WorkRoot)
		_ = os.RemoveAll(testHome)
	}
	os.Exit(code)
}

func testRunner(t testing.TB) *Runner {
	t.Helper()
	r, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// captured is what a command wrote.
type captured struct {
	mu       sync.Mutex
	out, err strings.Builder
	line     chan struct{} // closed when stdout has a whole line
	once     sync.Once
}

func (c *captured) take(s Stream, p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s == Stderr {
		c.err.Write(p)
		return
	}
	c.out.Write(p)
	if strings.Contains(c.out.String(), "\n") {
		c.once.Do(func() { close(c.line) })
	}
}

// begin starts a command with its output captured.
func begin(t testing.TB, ctx context.Context, spec Spec) (Run, *captured) {
	t.Helper()
	c := &captured{line: make(chan struct{})}
	spec.Output = c.take
	run, err := testRunner(t).Start(ctx, spec)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	return run, c
}

// do runs a command to its end.
func do(t testing.TB, spec Spec) (Result, *captured) {
	t.Helper()
	run, c := begin(t, context.Background(), spec)
	return run.Wait(), c
}

// waitAsync waits in the background.
func waitAsync(run Run) <-chan Result {
	done := make(chan Result, 1)
	go func() { done <- run.Wait() }()
	return done
}

func TestOutputAndCodes(t *testing.T) {
	tests := []struct {
		name     string
		spec     Spec
		code     int
		reason   Reason
		out, err string
	}{
		{"shell", Spec{Shell: "echo hello; echo oops >&2; exit 7"}, 7, ReasonExit, "hello\n", "oops\n"},
		{"argv", Spec{Argv: []string{"printf", "%s|", "a b", "$HOME"}}, 0, ReasonExit, "a b|$HOME|", ""},
		{"signal", Spec{Shell: "kill -KILL $$"}, 137, ReasonSignal, "", ""},
		{"stdin small", Spec{Argv: []string{"cat"}, Stdin: strings.NewReader("text")}, 0, ReasonExit, "text", ""},
		{"stdin empty", Spec{Argv: []string{"cat"}}, 0, ReasonExit, "", ""},
		{"stdin unread", Spec{Argv: []string{"true"}, Stdin: strings.NewReader(strings.Repeat("x", 1<<20))}, 0, ReasonExit, "", ""},
		{"env", Spec{Shell: "echo $A $B", Env: []string{"A=1", "B=2", "A=3"}}, 0, ReasonExit, "3 2\n", ""},
		{"closed output", Spec{Shell: "exec >&- 2>&-; exit 3"}, 3, ReasonExit, "", ""},
		{"null", Spec{Null: true}, 0, ReasonExit, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res, c := do(t, tt.spec)
			if res.Code != tt.code || res.Reason != tt.reason {
				t.Errorf("ended with %d %s (%s), want %d %s", res.Code, res.Reason, res.Message, tt.code, tt.reason)
			}
			if c.out.String() != tt.out || c.err.String() != tt.err {
				t.Errorf("wrote %q and %q, want %q and %q", c.out.String(), c.err.String(), tt.out, tt.err)
			}
		})
	}
}

func TestLargeStreams(t *testing.T) {
	in := strings.Repeat("0123456789abcde\n", 1<<16)
	res, c := do(t, Spec{Shell: "tee /dev/stderr", Stdin: strings.NewReader(in)})
	if res.Code != 0 || c.out.String() != in || c.err.String() != in {
		t.Fatalf("code %d, %d and %d bytes came back of %d", res.Code, c.out.Len(), c.err.Len(), len(in))
	}
}

func TestInputFromAFileIsClosed(t *testing.T) {
	name := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(name, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, argv := range [][]string{{"cat"}, {"no-such-program-here"}} {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		run, err := testRunner(t).Start(context.Background(), Spec{Argv: argv, Stdin: f, Output: func(_ Stream, p []byte) { got.Write(p) }})
		if err == nil {
			run.Wait()
			if got.String() != "from a file" {
				t.Errorf("%v wrote %q", argv, got.String())
			}
		}
		if _, err := f.Stat(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%v: the file is still open: %v", argv, err)
		}
	}
}

func TestABlockedInputDoesNotHoldTheEnd(t *testing.T) {
	in, out := io.Pipe()
	defer out.Close()
	if res, _ := do(t, Spec{Argv: []string{"true"}, Stdin: in}); res.Code != 0 {
		t.Fatalf("%+v", res)
	}
}

func TestStartErrors(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/nowhere/at/all\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	held := errors.New("not now")
	tests := []struct {
		name     string
		spec     Spec
		reason   Reason
		code     int
		declined bool
	}{
		{"nothing", Spec{}, ReasonInvalid, 125, false},
		{"both", Spec{Shell: "x", Argv: []string{"x"}}, ReasonInvalid, 125, false},
		{"nul", Spec{Argv: []string{"a\x00b"}}, ReasonInvalid, 125, false},
		{"env", Spec{Argv: []string{"true"}, Env: []string{"=x"}}, ReasonInvalid, 125, false},
		{"negative limit", Spec{Argv: []string{"true"}, Limits: Limits{MemoryBytes: -1}}, ReasonInvalid, 125, false},
		{"no name", Spec{Argv: []string{"no-such-program-here"}}, ReasonNotFound, 127, false},
		{"no file", Spec{Argv: []string{"/no/such/file"}}, ReasonNotFound, 127, false},
		{"not executable", Spec{Argv: []string{plain}}, ReasonNotExecutable, 126, false},
		{"directory", Spec{Argv: []string{"/tmp"}}, ReasonNotExecutable, 126, false},
		{"no interpreter", Spec{Argv: []string{script}}, ReasonNotExecutable, 126, false},
		{"no dir", Spec{Argv: []string{"true"}, Dir: "/no/such/dir"}, ReasonBadDir, 125, false},
		{"no dir at a level", Spec{Argv: []string{"true"}, Dir: "/no/such/dir", Level: Basic}, ReasonBadDir, 125, false},
		{"file as dir at a level", Spec{Argv: []string{"true"}, Dir: plain, Level: Strict}, ReasonBadDir, 125, false},
		{"too many files", Spec{Argv: []string{"true"}, Limits: Limits{OpenFiles: 1 << 30}}, ReasonInvalid, 125, false},
		{"too much memory", Spec{Argv: []string{"true"}, Limits: Limits{MemoryBytes: 1 << 62}}, ReasonInvalid, 125, false},
		{"file as dir", Spec{Argv: []string{"true"}, Dir: plain}, ReasonBadDir, 125, false},
		{"too long", Spec{Argv: []string{"true", strings.Repeat("x", 10<<20)}}, ReasonInvalid, 125, false},
		{"level", Spec{Argv: []string{"true"}, Level: 9}, ReasonInvalid, 125, false},
		{"held", Spec{Argv: []string{"true"}, BeforeStart: func() error { return held }}, ReasonHeld, 125, true},
		{"held null", Spec{Null: true, BeforeStart: func() error { return held }}, ReasonHeld, 125, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := testRunner(t).Start(context.Background(), tt.spec)
			var se *StartError
			if !errors.As(err, &se) {
				t.Fatalf("got %v, want a StartError", err)
			}
			if se.Reason != tt.reason || se.Code != tt.code || se.Declined() != tt.declined {
				t.Errorf("got %s %d declined=%v (%v), want %s %d %v", se.Reason, se.Code, se.Declined(), se, tt.reason, tt.code, tt.declined)
			}
		})
	}
}

func TestEnvironmentIsBuiltFromNothing(t *testing.T) {
	t.Setenv("OCTASKLY_TEST_SECRET", "must not pass")
	_, c := do(t, Spec{Argv: []string{"env"}, Env: []string{"MINE=1", cookieName + "=forged", "HOME=/else"}, Cookie: "real"})
	got := c.out.String()
	for _, want := range []string{"MINE=1\n", "PATH=", "HOME=/else\n", "TMPDIR=" + testRunner(t).dirs.root, cookieName + "=real\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in:\n%s", want, got)
		}
	}
	for _, not := range []string{"SECRET", "forged"} {
		if strings.Contains(got, not) {
			t.Errorf("%q has passed:\n%s", not, got)
		}
	}
}

func TestDirectoryIsOwnAndRemoved(t *testing.T) {
	const look = "pwd; ls -a | wc -l"
	for _, cmd := range []string{
		look,
		look + "; mkdir -p a/b; touch a/b/c; chmod 0 a/b a; ln -s / away",
		look + "; rmdir $PWD; ln -s /tmp $PWD",
		look + "; chmod 0 .",
	} {
		res, c := do(t, Spec{Shell: cmd})
		dir, count, _ := strings.Cut(strings.TrimSpace(c.out.String()), "\n")
		if strings.TrimSpace(count) != "2" {
			t.Errorf("%q: the directory was not empty: %s", cmd, count)
		}
		// Untouched, it waits for the next command; touched, it is gone.
		left, err := os.ReadDir(dir)
		if len(left) > 0 || (err == nil && cmd != look) {
			t.Errorf("%q: %s is still there (code %d)", cmd, dir, res.Code)
		}
	}
	if _, err := os.Stat("/tmp"); err != nil {
		t.Fatal(err)
	}
}

func TestTimeout(t *testing.T) {
	res, _ := do(t, Spec{Shell: "trap '' TERM; while :; do sleep 0.05; done", Timeout: 50 * time.Millisecond, Grace: 50 * time.Millisecond})
	if res.Reason != ReasonTimeout || res.Code != 137 || !strings.Contains(res.Message, "50ms") || !strings.Contains(res.Message, "killed") {
		t.Fatalf("%+v", res)
	}
	res, _ = do(t, Spec{Argv: []string{"sleep", "60"}, Timeout: 20 * time.Millisecond})
	if res.Reason != ReasonTimeout || res.Code != 143 {
		t.Fatalf("%+v", res)
	}
}

func TestCancel(t *testing.T) {
	run, c := begin(t, context.Background(), Spec{Shell: "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.02; done"})
	done := waitAsync(run)
	<-c.line
	run.Cancel(time.Minute)
	run.Cancel(time.Minute)
	if res := <-done; res.Reason != ReasonCancelled || res.Code != 0 || !strings.Contains(c.out.String(), "bye") {
		t.Fatalf("%+v %q", res, c.out.String())
	}
	run.Cancel(0)
}

// The dead orphans of a command that never stops writing were once collected
// only at its end, and could fill the process table before.
func TestOrphansAreCollectedWhileOutputFlows(t *testing.T) {
	res, _ := do(t, Spec{
		Shell:   `orphan=$( (sleep 0.1 >/dev/null & echo $!) ); while kill -0 "$orphan" 2>/dev/null; do echo x; sleep 0.05; done`,
		Timeout: 20 * time.Second, Grace: -1,
	})
	if res.Reason != ReasonExit || res.Code != 0 {
		t.Fatalf("a dead orphan was left uncollected: %+v", res)
	}
}

func TestCancelTwiceBringsTheEndNearer(t *testing.T) {
	run, c := begin(t, context.Background(), Spec{Shell: "trap '' TERM; echo ready; while :; do sleep 0.02; done"})
	done := waitAsync(run)
	<-c.line
	run.Cancel(time.Hour)
	run.Cancel(-1)
	if res := <-done; res.Reason != ReasonCancelled || res.Code != 137 {
		t.Fatalf("%+v", res)
	}
}

func TestContextEndsTheCommand(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	run, c := begin(t, ctx, Spec{Shell: "echo ready; sleep 60"})
	done := waitAsync(run)
	<-c.line
	cancel()
	if res := <-done; res.Reason != ReasonCancelled {
		t.Fatalf("%+v", res)
	}
	if _, err := testRunner(t).Start(ctx, Spec{Argv: []string{"true"}}); err == nil {
		t.Fatal("started after the context had ended")
	}
}

func TestGraceAlsoForChildrenOfAnEndedShell(t *testing.T) {
	run, c := begin(t, context.Background(), Spec{
		Shell: `sh -c 'trap "sleep 0.1; echo flushed; exit 0" TERM; echo ready; while :; do sleep 0.02; done' & trap 'exit 0' TERM; wait`,
	})
	done := waitAsync(run)
	<-c.line
	run.Cancel(20 * time.Second)
	if res := <-done; res.Reason != ReasonCancelled || !strings.Contains(c.out.String(), "flushed") {
		t.Fatalf("%+v %q", res, c.out.String())
	}
}

func TestBeforeStartComesFirst(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "mark")
	res, c := do(t, Spec{Argv: []string{"cat", mark}, BeforeStart: func() error { return os.WriteFile(mark, []byte("first"), 0o600) }})
	if res.Code != 0 || c.out.String() != "first" {
		t.Fatalf("%+v %q", res, c.out.String())
	}
}

func TestBlockedOutputHoldsTheCommandBack(t *testing.T) {
	gate := make(chan struct{})
	var total int
	run, err := testRunner(t).Start(context.Background(), Spec{
		Argv:   []string{"head", "-c", "4000000", "/dev/zero"},
		Output: func(_ Stream, p []byte) { <-gate; total += len(p) },
	})
	if err != nil {
		t.Fatal(err)
	}
	done := waitAsync(run)
	select {
	case <-done:
		t.Fatal("ended without its output being taken")
	case gate <- struct{}{}:
	}
	close(gate)
	if <-done; total != 4000000 {
		t.Fatalf("%d bytes came", total)
	}
}

func TestOutputDuringTheGraceIsRead(t *testing.T) {
	run, c := begin(t, context.Background(), Spec{
		Shell: `sh -c 'trap "head -c 1000000 /dev/zero; exit 0" TERM; echo ready; while :; do sleep 0.02; done' & trap 'exit 0' TERM; wait`,
	})
	done := waitAsync(run)
	<-c.line
	run.Cancel(30 * time.Second)
	if res := <-done; c.out.Len() != 1000000+len("ready\n") || strings.Contains(res.Message, "killed") {
		t.Fatalf("%+v, %d bytes", res, c.out.Len())
	}
}

func TestNothingLeaks(t *testing.T) {
	do(t, Spec{Argv: []string{"true"}})
	settle(t)
	fds, gos := openFiles(t), runtime.NumGoroutine()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				do(t, Spec{Shell: "echo x; cat", Stdin: io.MultiReader(strings.NewReader("abc")), Timeout: time.Minute})
			}
		})
	}
	wg.Wait()
	_, _ = testRunner(t).Start(context.Background(), Spec{Argv: []string{"no-such-program"}})
	// What a finished command used is given back right after its end, not before it.
	for deadline := time.Now().Add(10 * time.Second); openFiles(t) > fds || runtime.NumGoroutine() > gos; {
		if time.Now().After(deadline) {
			t.Fatalf("%d files open, %d before; %d goroutines, %d before", openFiles(t), fds, runtime.NumGoroutine(), gos)
		}
		runtime.Gosched()
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}
