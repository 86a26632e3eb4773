package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

var exited = task.Exit{Reason: task.ReasonExit}

func TestRunPrintsAndEndsAsTheTask(t *testing.T) {
	f := &fake{follow: func(control.FollowRequest) (control.Follower, error) {
		return newFeed(io.EOF, state(task.Running, task.Exit{}), output(1, 1, "to out\x1b[0m\n"), output(1, 2, "to err\n"),
			state(task.Failed, task.Exit{Code: 7, Reason: task.ReasonExit})).end(), nil
	}}
	code, out, stderr := try(t, f, "run", "x")
	if code != 7 || out != "to out\x1b[0m\n" || stderr != "to err\n" {
		t.Errorf("code %d, out %q, err %q", code, out, stderr)
	}
	if got := f.tasks[0]; got.Spec.Shell != "x" || !strings.HasPrefix(got.Key, task.AutoKey) {
		t.Errorf("submitted %+v", got)
	}
}

func TestRunWithoutDispatcher(t *testing.T) {
	code, out, stderr := try(t, nil, "run", "x")
	if code != 125 || out != "" {
		t.Errorf("code %d, out %q", code, out)
	}
	has(t, "error", stderr, "error: no dispatcher found\n", "octaskly status", "octaskly dispatcher", "octaskly --dispatcher HOST")
}

// TestInterrupts: the first cancels with the task's grace, the second kills,
// the third leaves.
func TestInterrupts(t *testing.T) {
	running := newFeed(io.EOF, state(task.Running, task.Exit{}), output(1, 1, "started\n"))
	f := &fake{follow: func(control.FollowRequest) (control.Follower, error) { return running, nil }}
	s := newSession(f, "run", "x")
	codes := make(chan int, 1)
	go func() { codes <- s.run() }()
	s.out.waitFor(t, "started")
	s.signals <- os.Interrupt
	s.err.waitFor(t, "cancelling 1")
	s.signals <- os.Interrupt
	s.err.waitFor(t, "killing 1")
	running.items <- state(task.Cancelled, task.Exit{Code: 137, Signal: 9, Reason: task.ReasonCancelled})
	running.end()
	if code := <-codes; code != 130 {
		t.Errorf("code %d, want 130", code)
	}
	if len(f.cancels) != 2 || f.cancels[0].Grace != 0 || f.cancels[1].Grace >= 0 {
		t.Errorf("cancelled by %+v", f.cancels)
	}
}

func TestThirdInterruptLeaves(t *testing.T) {
	running := newFeed(io.EOF, output(1, 1, "started\n"))
	defer func() { _ = running.Close() }()
	f := &fake{follow: func(control.FollowRequest) (control.Follower, error) { return running, nil }}
	s := newSession(f, "run", "x")
	codes := make(chan int, 1)
	go func() { codes <- s.run() }()
	s.out.waitFor(t, "started")
	for _, word := range []string{"cancelling 1", "killing 1"} {
		s.signals <- os.Interrupt
		s.err.waitFor(t, word)
	}
	s.signals <- os.Interrupt
	if code := <-codes; code != 130 {
		t.Errorf("code %d, want 130", code)
	}
	has(t, "talk", s.err.String(), "octaskly show 1")
}

func TestDetachAndHangUpLeaveTheTask(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		signal os.Signal
		code   int
	}{
		"detach":  {[]string{"run", "--detach-on-interrupt", "x"}, os.Interrupt, 130},
		"hang-up": {[]string{"run", "x"}, syscall.SIGHUP, 129},
	} {
		running := newFeed(io.EOF, output(1, 1, "started\n"))
		f := &fake{follow: func(control.FollowRequest) (control.Follower, error) { return running, nil }}
		s := newSession(f, c.args...)
		codes := make(chan int, 1)
		go func() { codes <- s.run() }()
		s.out.waitFor(t, "started")
		s.signals <- c.signal
		if code := <-codes; code != c.code || len(f.cancels) != 0 {
			t.Errorf("%s: code %d, want %d; cancels %v", name, code, c.code, f.cancels)
		}
	}
}

// TestRunOutlivesItsConnection: after a break the output goes on where it
// stopped, without a byte twice or missing.
func TestRunOutlivesItsConnection(t *testing.T) {
	broken := task.Errorf(task.KindUnavailable, "connection reset")
	feeds := []*feed{
		newFeed(broken, output(1, 1, "one "), output(1, 2, "(two) ")).end(),
		newFeed(io.EOF, output(1, 1, "one "), output(1, 2, "(two) ")).end(), // ends before the task did
		newFeed(io.EOF, output(1, 1, "one "), output(1, 2, "(two) thr"), output(1, 1, "ee "), output(2, 1, "again"), state(task.Done, exited)).end(),
	}
	f := &fake{follow: func(control.FollowRequest) (control.Follower, error) {
		next := feeds[0]
		feeds = feeds[1:]
		return next, nil
	}}
	s := newSession(f, "run", "-q", "x")
	dials := 0
	s.program.Dial = func(context.Context, *config.Loaded) (control.Control, io.Closer, error) {
		if dials++; dials == 2 {
			return nil, nil, task.Errorf(task.KindNoDispatcher, "not yet")
		}
		return f, nil, nil
	}
	if code := s.run(); code != 0 {
		t.Errorf("code %d: %s", code, s.err.String())
	}
	if out, stderr := s.out.String(), s.err.String(); out != "one ee again" || stderr != "(two) thr" {
		t.Errorf("out %q, err %q", out, stderr)
	}
	if n := len(f.tasks); n != 1 {
		t.Errorf("%d tasks were submitted", n)
	}
}

func TestRunDoesNotReconnectForWhatCannotPass(t *testing.T) {
	for name, end := range map[string]error{
		"not found": task.Errorf(task.KindNotFound, "there is no task 1"),
		"not ours":  task.Errorf(task.KindNotAllowed, "no"),
	} {
		f := &fake{follow: func(control.FollowRequest) (control.Follower, error) { return newFeed(end).end(), nil }}
		if code, _, stderr := try(t, f, "run", "x"); code != 125 || !strings.Contains(stderr, end.Error()) {
			t.Errorf("%s: code %d, error %q", name, code, stderr)
		}
	}
}

// TestRunCancelsWhenNobodyReads: a task whose output nobody can have is ended as
// by an interrupt, and its end is waited for.
func TestRunCancelsWhenNobodyReads(t *testing.T) {
	for name, c := range map[string]struct {
		fault error
		code  int
		says  string
	}{
		"broken pipe": {&os.PathError{Op: "write", Err: syscall.EPIPE}, 128 + int(syscall.SIGPIPE), "cancelling 1: nobody reads its output any more"},
		"full disk":   {errors.New("disk full"), 125, "error: write the output: disk full"},
	} {
		running := newFeed(io.EOF, state(task.Running, task.Exit{}), output(1, 1, "x"), output(1, 1, "y"))
		f := &fake{follow: func(control.FollowRequest) (control.Follower, error) { return running, nil }}
		f.cancel = func(control.CancelRequest) {
			running.items <- state(task.Cancelled, task.Exit{Code: 137, Signal: 9, Reason: task.ReasonCancelled})
			running.end()
		}
		s := newSession(f, "run", "x")
		s.program.Stdout = failing{c.fault}
		if code := s.run(); code != c.code || len(f.cancels) != 1 || f.cancels[0].Grace != 0 {
			t.Errorf("%s: code %d, want %d; cancels %+v", name, code, c.code, f.cancels)
		}
		has(t, "error", s.err.String(), c.says)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestRunSaysThatAnAttemptBegins: what was printed may come again, so a person is
// told where the next attempt starts, once.
func TestRunSaysThatAnAttemptBegins(t *testing.T) {
	again := control.FollowItem{Task: &task.Task{ID: 1, State: task.Running, Attempts: []task.Attempt{
		{Fence: task.Fence{Attempt: 1}, Node: "n1", Ended: 5, Exit: task.Exit{Code: 1, Reason: task.ReasonExit}}, {Fence: task.Fence{Attempt: 2}, Node: "n2"},
	}}}
	f := &fake{nodes: []control.Node{{ID: "n1", Name: "mill"}, {ID: "n2", Name: "barn"}}, follow: func(control.FollowRequest) (control.Follower, error) {
		return newFeed(io.EOF, state(task.Running, task.Exit{}), output(1, 1, "X"), again, output(2, 1, "X"), again, state(task.Done, exited)).end(), nil
	}}
	code, out, stderr := try(t, f, "run", "x")
	if code != 0 || out != "XX" || stderr != "octaskly: attempt 2 begins on barn; attempt 1 ended with exit 1\n" {
		t.Errorf("code %d, out %q, talk %q", code, out, stderr)
	}
}

func TestRunSaysWhatWasDropped(t *testing.T) {
	f := &fake{follow: func(control.FollowRequest) (control.Follower, error) {
		return newFeed(io.EOF, control.FollowItem{Chunks: []control.Chunk{{Attempt: 1, Stream: 1, Data: []byte("b"), Skipped: 5000}}}, state(task.Done, exited)).end(), nil
	}}
	code, out, stderr := try(t, f, "run", "x")
	if code != 0 || out != "b" {
		t.Errorf("code %d, out %q", code, out)
	}
	has(t, "talk", stderr, "5000 bytes of output were dropped here")
}

func TestLargeStdinIsStoredBesideTheQueue(t *testing.T) {
	f := &fake{}
	s := newSession(f, "submit", "--stdin", "cat")
	s.program.Stdin = strings.NewReader(strings.Repeat("x", task.MaxInlineStdin+1))
	if code := s.run(); code != 0 {
		t.Fatalf("code %d: %s", code, s.err.String())
	}
	got := f.tasks[0].Spec
	if got.StdinRef == "" || got.Stdin != nil || f.blobs[got.StdinRef] != task.MaxInlineStdin+1 {
		t.Errorf("stored %v for %q, %d bytes inline", f.blobs, got.StdinRef, len(got.Stdin))
	}
	s = newSession(f, "submit", "--stdin", "cat")
	s.program.Stdin = strings.NewReader("small")
	if code := s.run(); code != 0 || string(f.tasks[1].Spec.Stdin) != "small" {
		t.Errorf("code %d, stdin %q", code, f.tasks[1].Spec.Stdin)
	}
}

func TestTooMuchStdinIsRefused(t *testing.T) {
	s := newSession(&fake{}, "submit", "--stdin", "cat")
	s.program.Stdin = io.LimitReader(zeros{}, task.MaxStdin+1)
	if code := s.run(); code != 2 {
		t.Errorf("code %d, want 2", code)
	}
	has(t, "error", s.err.String(), "more than 64 MiB")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestFlagsMakeATask(t *testing.T) {
	f := &fake{}
	code, _, stderr := try(t, f, "submit", "--name", "n", "--tag", "a", "--tag", "b", "--priority", "high", "--timeout", "10m", "--grace", "0",
		"--retries", "3", "--backoff", "fixed", "--retry-on", "75,76", "--delivery", "at-least-once", "--cpus", "0.5", "--mem", "1g", "--disk", "10",
		"--cpu-time", "90", "--max-processes", "16", "--max-open-files", "64", "--max-output", "2m",
		"--gpus", "2", "--sandbox", "strict", "--on", "mill", "--label", "k=v", "--os", "linux", "--arch", "arm64", "--dir", "/tmp", "--keep",
		"--env", "A=1", "--env", "B=x=y", "--inherit-env", "PATH", "--idempotency-key", "key", "--", "prog", "--flag", "a b")
	if code != 0 {
		t.Fatalf("code %d: %s", code, stderr)
	}
	got := f.tasks[0]
	want := task.Spec{
		Argv: []string{"prog", "--flag", "a b"}, Name: "n", Tags: []string{"a", "b"}, Priority: 75, Timeout: 10 * time.Minute, Grace: -1,
		Retries: 3, Backoff: task.BackoffFixed, RetryOn: []int32{75, 76}, Delivery: task.AtLeastOnce, Dir: "/tmp", Keep: true,
		Env: map[string]string{"A": "1", "B": "x=y", "PATH": "/bin"},
		Need: task.Need{
			CPU: 500, MemoryMB: 1024, DiskMB: 10, GPUs: 2, Sandbox: "strict", On: "mill",
			Labels: map[string]string{"k": "v", "os": "linux", "arch": "arm64"},
			Limits: task.Limits{CPUTime: 90 * time.Second, Processes: 16, OpenFiles: 64, OutputMB: 2},
		},
	}
	if !equalJSON(t, got.Spec, want) || got.Key != "key" {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestCommandForms(t *testing.T) {
	for name, c := range map[string]struct {
		args  []string
		shell string
		argv  string
	}{
		"one string":         {[]string{"a | b"}, "a | b", ""},
		"after dashes":       {[]string{"--", "a", "-b"}, "", "a,-b"},
		"shell after dashes": {[]string{"--shell", "--", "a", "b"}, "a b", ""},
		"no shell":           {[]string{"--no-shell", "a"}, "", "a"},
		"true is a command":  {[]string{"-q", "true"}, "true", ""},
		"flags afterwards":   {[]string{"a b", "--name", "n"}, "a b", ""},
	} {
		f := &fake{}
		if code, _, stderr := try(t, f, append([]string{"submit"}, c.args...)...); code != 0 {
			t.Errorf("%s: code %d: %s", name, code, stderr)
			continue
		}
		if s := f.tasks[0].Spec; s.Shell != c.shell || strings.Join(s.Argv, ",") != c.argv {
			t.Errorf("%s: shell %q, argv %q", name, s.Shell, s.Argv)
		}
	}
	for name, args := range map[string][]string{
		"two words": {"a", "b"}, "before and after": {"a", "--", "b"}, "both": {"--shell", "--no-shell", "a"}, "nothing": {"--"},
		"ten megabytes": {strings.Repeat("x", 10_000_000)},
	} {
		if code, _, _ := try(t, &fake{}, append([]string{"submit"}, args...)...); code != 2 {
			t.Errorf("%s: code %d, want 2", name, code)
		}
	}
}
