// Package exectest stands in for real processes in tests: no process is
// started, and time may be virtual.
package exectest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/adauldev/octaskly/exec"
)

// Script is what one pretended command does.
type Script struct {
	// StartErr, if set, is what Start returns; nothing runs.
	StartErr error
	Steps    []Step
	// Code is the exit code; Signal, if set, is the signal that ends it.
	Code   int
	Signal int
	// Stubborn ignores the polite signal and ends only when the grace is over.
	Stubborn bool
	// Survivors are reported as processes that could not be killed.
	Survivors []int
	// Freed, once closed, ends the survivors; nil never does.
	Freed   <-chan struct{}
	CPU     time.Duration
	MaxRSS  int64
	Written int64 // Result.BytesWritten
	// Usage is what Run.Usage reports.
	Usage exec.Usage
}

// Step is one thing a pretended command does: wait, then write.
type Step struct {
	Wait   time.Duration
	Stream exec.Stream // 0 is Stdout
	Text   string
	// Echo copies standard input to the stream.
	Echo bool
}

// Runner is an exec.Starter that follows scripts. Its zero value follows
// Interpret and offers every level.
type Runner struct {
	// Behave says what a command does. It may be called from many goroutines.
	Behave func(exec.Spec) Script
	// Levels are the levels offered; empty means all.
	Levels []exec.Level
	// Leftovers is what SweepLeftovers reports to have killed.
	Leftovers int

	mu      sync.Mutex
	started []string
	running map[*run]bool
	swept   []string
}

var _ exec.Starter = (*Runner)(nil)

// Start pretends to run a command. Everything happens in Wait.
func (r *Runner) Start(ctx context.Context, spec exec.Spec) (exec.Run, error) {
	run, err := r.start(ctx, spec)
	if err != nil {
		spec.CloseStdin()
		return nil, err
	}
	return run, nil
}

func (r *Runner) start(ctx context.Context, spec exec.Spec) (exec.Run, error) {
	if err := spec.Check(); err != nil {
		return nil, &exec.StartError{Reason: exec.ReasonInvalid, Code: 125, Err: err}
	}
	if !r.Capabilities().Offers(spec.Level) {
		return nil, &exec.StartError{Reason: exec.ReasonRefused, Code: 125, Err: fmt.Errorf("sandbox level %s is not available here", spec.Level)}
	}
	if ctx.Err() != nil {
		return nil, &exec.StartError{Reason: exec.ReasonCancelled, Code: 125, Err: fmt.Errorf("cancelled before it started: %w", context.Cause(ctx))}
	}
	behave := r.Behave
	if behave == nil {
		behave = Interpret
	}
	script := behave(spec)
	if script.StartErr != nil {
		return nil, script.StartErr
	}
	if spec.BeforeStart != nil {
		if err := spec.BeforeStart(); err != nil {
			var se *exec.StartError
			if errors.As(err, &se) {
				return nil, se
			}
			return nil, &exec.StartError{Reason: exec.ReasonHeld, Code: 125, Err: err}
		}
	}
	return r.begin(ctx, spec, script), nil
}

func (r *Runner) begin(ctx context.Context, spec exec.Spec, script Script) *run {
	p := &run{r: r, spec: spec, script: script, at: time.Now(), wake: make(chan struct{}, 1)}
	r.mu.Lock()
	r.started = append(r.started, spec.Cookie)
	if r.running == nil {
		r.running = make(map[*run]bool)
	}
	r.running[p] = true
	p.pid = 1000 + len(r.started)
	r.mu.Unlock()
	p.stopCtx = context.AfterFunc(ctx, func() { p.Cancel(0) })
	return p
}

// Capabilities says that the levels are there by pretence.
func (r *Runner) Capabilities() exec.Capabilities {
	caps := exec.Capabilities{Memory: "fake", CPU: "fake", Disk: "fake", OpenFiles: "fake", Processes: "fake", Kill: "fake"}
	for i := range caps.Levels {
		caps.Levels[i] = exec.LevelInfo{Level: exec.Level(i), Available: len(r.Levels) == 0, Mechanisms: "fake", Reason: "not offered by this worker"}
	}
	for _, l := range r.Levels {
		caps.Levels[l].Available = true
	}
	return caps
}

// SweepLeftovers reports Leftovers.
func (r *Runner) SweepLeftovers(_ context.Context, prefix string) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.swept = append(r.swept, prefix)
	return r.Leftovers, nil
}

// Started returns the cookies of all commands started so far, in order.
func (r *Runner) Started() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.started...)
}

// Running returns how many commands have been started and not waited for.
func (r *Runner) Running() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.running)
}

// Swept returns the prefixes SweepLeftovers was asked for.
func (r *Runner) Swept() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.swept...)
}

// run is one pretended command.
type run struct {
	r       *Runner
	spec    exec.Spec
	script  Script
	pid     int
	at      time.Time
	stopCtx func() bool
	wake    chan struct{}

	mu       sync.Mutex
	reason   exec.Reason
	deadline time.Time // when a stubborn one is killed
}

// PID is a number no other command of this Runner has.
func (p *run) PID() int {
	if p.spec.Null {
		return 0
	}
	return p.pid
}

// Usage is what the script says.
func (p *run) Usage() exec.Usage { return p.script.Usage }

// Cancel ends the command, a stubborn one after the grace.
func (p *run) Cancel(grace time.Duration) { p.stop(exec.ReasonCancelled, grace) }

func (p *run) stop(reason exec.Reason, grace time.Duration) {
	if grace == 0 {
		grace = p.spec.Grace
	}
	if grace == 0 {
		grace = exec.DefaultGrace
	}
	deadline := time.Now().Add(max(grace, 0))
	p.mu.Lock()
	if p.reason == "" {
		p.reason, p.deadline = reason, deadline
	} else if deadline.Before(p.deadline) {
		p.deadline = deadline
	}
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Wait follows the script.
func (p *run) Wait() exec.Result {
	if p.spec.Timeout > 0 {
		timer := time.AfterFunc(p.spec.Timeout, func() { p.stop(exec.ReasonTimeout, 0) })
		defer timer.Stop()
	}
	killed := false
	for _, step := range p.script.Steps {
		if killed = p.pause(step.Wait); killed {
			break
		}
		p.write(step)
	}
	p.stopCtx()
	p.spec.CloseStdin()
	p.r.mu.Lock()
	delete(p.r.running, p)
	p.r.mu.Unlock()
	return p.result(killed)
}

// pause waits and reports whether the command was ended meanwhile.
func (p *run) pause(d time.Duration) (ended bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		p.mu.Lock()
		stopping, deadline := p.reason != "", p.deadline
		p.mu.Unlock()
		var kill <-chan time.Time
		if stopping {
			left := time.Until(deadline)
			if !p.script.Stubborn || left <= 0 {
				return true
			}
			t := time.NewTimer(left)
			defer t.Stop()
			kill = t.C
		}
		select {
		case <-timer.C:
			return false
		case <-kill:
			return true
		case <-p.wake:
		}
	}
}

func (p *run) write(step Step) {
	out := p.spec.Output
	if out == nil {
		return
	}
	s := step.Stream
	if s == 0 {
		s = exec.Stdout
	}
	if step.Text != "" {
		out(s, []byte(step.Text))
	}
	if step.Echo && p.spec.Stdin != nil {
		if b, _ := io.ReadAll(p.spec.Stdin); len(b) > 0 {
			out(s, b)
		}
	}
}

func (p *run) result(killed bool) exec.Result {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.script
	res := exec.Result{
		Code: s.Code, Signal: s.Signal, Reason: exec.ReasonExit, Started: p.at, Ended: time.Now(),
		CPU: s.CPU, MaxRSS: s.MaxRSS, BytesWritten: s.Written, Enforced: "fake", Dir: p.spec.Dir, Survivors: s.Survivors,
	}
	if killed {
		res.Signal = 15
		if s.Stubborn {
			res.Signal = 9
		}
	}
	if res.Signal != 0 {
		res.Code, res.Reason = 128+res.Signal, exec.ReasonSignal
	}
	if killed {
		res.Reason, res.Message = p.reason, string(p.reason)
	}
	if len(s.Survivors) > 0 {
		res.Reason = exec.ReasonUnkillable
		res.Remaining = func() []int {
			select {
			case <-s.Freed:
				return nil
			default:
				return s.Survivors
			}
		}
	}
	return res
}

// Interpret makes a script of a command in a tiny language: steps separated by
// ";" or "&&", each one of
//
//	echo TEXT    write a line
//	warn TEXT    write a line to standard error
//	cat          copy standard input
//	sleep TIME   wait, in seconds or as 50ms
//	exit CODE    end with a code
//	signal N     end by a signal
//	stubborn     ignore the polite signal
//	true, false  end with 0 or 1
//
// Any other word is a program that is not there. An Argv is one step.
func Interpret(spec exec.Spec) Script {
	var s Script
	line := spec.Shell
	if len(spec.Argv) > 0 {
		line = strings.Join(spec.Argv, " ")
	}
	for _, part := range strings.FieldsFunc(line, func(r rune) bool { return r == ';' || r == '&' }) {
		word, rest, _ := strings.Cut(strings.TrimSpace(part), " ")
		if !s.add(strings.TrimPrefix(strings.TrimPrefix(word, "/usr"), "/bin/"), strings.TrimSpace(rest), spec) {
			break
		}
	}
	return s
}

// add adds one step and reports whether more may follow.
func (s *Script) add(word, rest string, spec exec.Spec) bool {
	number := 0
	_, _ = fmt.Sscanf(rest, "%d", &number)
	switch word {
	case "":
	case "echo":
		s.Steps = append(s.Steps, Step{Text: rest + "\n"})
	case "warn":
		s.Steps = append(s.Steps, Step{Stream: exec.Stderr, Text: rest + "\n"})
	case "cat":
		s.Steps = append(s.Steps, Step{Echo: true})
	case "sleep":
		s.Steps = append(s.Steps, Step{Wait: duration(rest)})
	case "stubborn":
		s.Stubborn = true
	case "true":
		s.Code = 0
	case "false":
		s.Code = 1
	case "exit":
		s.Code = number
		return false
	case "signal":
		s.Signal = number
		return false
	default:
		err := fmt.Errorf("run %s: no such program", word)
		if len(spec.Argv) > 0 {
			s.StartErr = &exec.StartError{Reason: exec.ReasonNotFound, Code: 127, Err: err}
			return false
		}
		s.Steps = append(s.Steps, Step{Stream: exec.Stderr, Text: "sh: " + word + ": not found\n"})
		s.Code = 127
		return false
	}
	return true
}

// duration reads seconds or a Go duration.
func duration(text string) time.Duration {
	if d, err := time.ParseDuration(text); err == nil {
		return d
	}
	d, _ := time.ParseDuration(text + "s")
	return d
}
