//go:build !linux

package exec

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	osexec "os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// platform is what a Runner holds on systems other than Linux.
type platform struct {
	levels [levelCount]*confinement // those that passed their test
}

func (r *Runner) openPlatform() error { return nil }

func (r *Runner) closePlatform() error {
	for _, c := range r.levels {
		if c != nil {
			c.close()
		}
	}
	return nil
}

// contain builds and tests the levels asked for and says which there are.
func (r *Runner) contain(want [levelCount]bool) (Capabilities, error) {
	caps := Capabilities{Kill: killBy, Memory: treeLimits, CPU: treeLimits, Processes: treeLimits}
	caps.Levels[None] = LevelInfo{Level: None, Available: true, Mechanisms: noneMechanism}
	for l := Basic; l.Valid(); l++ {
		caps.Levels[l] = LevelInfo{Level: l, Reason: "not offered by this worker"}
		if !want[l] {
			continue
		}
		c, mechanisms, err := newConfinement(l, r)
		if err == nil {
			r.levels[l] = c
			if err = r.selfTest(l); err != nil {
				r.levels[l] = nil
				c.close()
			}
		}
		if err != nil {
			caps.Levels[l].Reason = err.Error()
			continue
		}
		caps.Levels[l] = LevelInfo{Level: l, Available: true, Mechanisms: mechanisms}
	}
	return caps, nil
}

// selfTest runs a command that tries to get out.
func (r *Runner) selfTest(l Level) error {
	run, err := r.start(context.Background(), &Spec{Shell: escapeTest, Level: l, Timeout: selfTestWait})
	if err != nil {
		return fmt.Errorf("test the sandbox: %w", err)
	}
	if res := run.Wait(); res.Code != 0 {
		return fmt.Errorf("the sandbox does not hold, or forbids too much: its test ended with %d %s", res.Code, res.Message)
	}
	return nil
}

// selfTestWait is how long the test of a level may take.
const selfTestWait = 20 * time.Second

// SweepLeftovers cannot be done here: other systems do not show a process's
// environment in one way. Windows ends commands with the worker.
func (r *Runner) SweepLeftovers(context.Context, string) (int, error) { return 0, nil }

// process is one command that runs.
type process struct {
	r       *Runner
	spec    *Spec
	cmd     *osexec.Cmd
	tree    tree
	home    workDir
	started time.Time
	timer   *time.Timer
	stopCtx func() bool
	helpers sync.WaitGroup

	mu       sync.Mutex
	gone     bool
	reason   Reason
	deadline time.Time
	hard     bool
	nudge    chan struct{}
}

var _ Run = (*process)(nil)

// drainWait is how long output may go on after the main process has ended and
// the rest was killed.
const drainWait = time.Second

func (r *Runner) start(ctx context.Context, spec *Spec) (Run, error) {
	home, err := r.dirs.get()
	if err != nil {
		return nil, &StartError{Reason: ReasonHost, Code: 125, Err: err}
	}
	p := &process{r: r, spec: spec, home: home}
	if err := p.spawn(); err != nil {
		_ = r.dirs.put(home, false)
		return nil, err
	}
	if spec.Timeout > 0 {
		p.timer = time.AfterFunc(spec.Timeout, func() { p.stop(ReasonTimeout, 0) })
	}
	if ctx.Done() != nil {
		p.stopCtx = context.AfterFunc(ctx, func() { p.stop(ReasonCancelled, 0) })
	}
	return p, nil
}

// spawn starts the main process.
func (p *process) spawn() error {
	spec := p.spec
	dir := orElse(spec.Dir, p.home.work())
	if st, err := os.Stat(dir); err != nil || !st.IsDir() {
		return startError(ReasonBadDir, "run: the working directory %s is not there or is no directory", dir)
	}
	argv := spec.Argv
	if spec.Shell != "" {
		argv = shellArgv(spec.Shell)
	}
	cmd := osexec.Command(argv[0], argv[1:]...)
	cmd.Dir = dir
	cmd.Env = buildEnv(p.r.base, p.home, dir, spec.Cookie, spec.Env)
	cmd.Stdin = spec.Stdin
	cmd.WaitDelay = drainWait
	if spec.Output != nil {
		var one sync.Mutex
		cmd.Stdout = streamWriter{s: Stdout, to: spec.Output, one: &one}
		cmd.Stderr = streamWriter{s: Stderr, to: spec.Output, one: &one}
	}
	p.cmd = cmd
	if err := p.tree.prepare(cmd, spec); err != nil {
		return startError(ReasonHost, "run %s: %w", argv[0], err)
	}
	if c := p.r.levels[spec.Level]; c != nil {
		if o := overlapping(c.protects(), realPath(dir)); spec.Dir != "" && o != "" {
			p.tree.close()
			return startError(ReasonBadDir, "the working directory %s cannot be used at sandbox level %s: it would open %s to the command", dir, spec.Level, o)
		}
		if spec.Dir != "" && !c.offers(realPath(dir)) {
			p.tree.close()
			return notListed(spec, dir)
		}
		if err := c.apply(cmd, p.home.path, dir); err != nil {
			p.tree.close()
			return startError(ReasonRefused, "sandbox level %s cannot be had here: %w", spec.Level, err)
		}
	}
	if err := held(spec); err != nil {
		p.tree.close()
		return err
	}
	p.started = time.Now()
	if err := cmd.Start(); err != nil {
		p.tree.close()
		return explainStart(err, argv[0])
	}
	if err := p.tree.started(cmd.Process); err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		p.tree.close()
		return startError(ReasonHost, "run %s: %w", argv[0], err)
	}
	return nil
}

// explainStart turns the error of a failed start into words.
func explainStart(err error, name string) error {
	switch {
	case errors.Is(err, osexec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return startError(ReasonNotFound, "run %s: no such program: %w", name, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.ENOEXEC):
		return startError(ReasonNotExecutable, "run %s: it cannot be executed: %w", name, err)
	case errors.Is(err, syscall.E2BIG):
		return startError(ReasonInvalid, "run %s: its arguments and environment are too long for this system: %w", name, err)
	}
	return startError(ReasonHost, "run %s: %w", name, err)
}

// streamWriter hands one stream on; one keeps the two streams apart.
type streamWriter struct {
	s   Stream
	to  func(Stream, []byte)
	one *sync.Mutex
}

func (w streamWriter) Write(p []byte) (int, error) {
	w.one.Lock()
	defer w.one.Unlock()
	w.to(w.s, p)
	return len(p), nil
}

// PID is the process id of the main process.
func (p *process) PID() int { return p.cmd.Process.Pid }

// Usage is not known here.
func (p *process) Usage() Usage { return Usage{} }

// Cancel asks the command to end; see Run.
func (p *process) Cancel(grace time.Duration) { p.stop(ReasonCancelled, grace) }

// stop asks the command to end and sees to it that it does.
func (p *process) stop(reason Reason, grace time.Duration) {
	g := graceOf(grace, p.spec.Grace)
	deadline := time.Now().Add(g)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return
	}
	if p.reason != "" {
		if deadline.Before(p.deadline) {
			p.deadline = deadline
			select {
			case p.nudge <- struct{}{}:
			default:
			}
		}
		return
	}
	p.reason, p.deadline, p.nudge = reason, deadline, make(chan struct{}, 1)
	if g > 0 {
		p.tree.ask(p.cmd.Process)
	}
	p.helpers.Add(1)
	go p.escalate(p.nudge)
}

// escalate waits for the end or the deadline, and then kills everything.
func (p *process) escalate(nudge <-chan struct{}) {
	defer p.helpers.Done()
	for {
		p.mu.Lock()
		gone, left := p.gone, time.Until(p.deadline)
		if !gone && left <= 0 {
			p.hard = true
			p.tree.kill(p.cmd.Process)
		}
		p.mu.Unlock()
		if gone || left <= 0 {
			return
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-nudge:
		}
		timer.Stop()
	}
}

// Wait returns when the command is over and its tree killed.
func (p *process) Wait() Result {
	state, _ := p.cmd.Process.Wait()
	p.mu.Lock()
	p.gone = true
	if p.nudge != nil {
		close(p.nudge)
	}
	p.mu.Unlock()
	if p.timer != nil {
		p.timer.Stop()
	}
	if p.stopCtx != nil {
		p.stopCtx()
	}
	p.tree.kill(p.cmd.Process)
	p.spec.CloseStdin()
	_ = p.cmd.Wait() // the process is collected; this ends the copying
	p.helpers.Wait()
	p.tree.close()
	res := p.result(state)
	if p.spec.Keep && p.spec.Dir == "" {
		res.Dir = p.home.work()
	} else if err := p.r.dirs.put(p.home, false); err != nil {
		p.r.log.Warn("a command's directory could not be removed", "dir", p.home.path, "error", err)
	}
	return res
}

// result puts into words how the main process ended.
func (p *process) result(state *os.ProcessState) Result {
	res := Result{
		Reason: ReasonExit, Dir: p.spec.Dir, Started: p.started, Ended: time.Now(),
		Enforced: p.r.caps.Levels[p.spec.Level].Mechanisms,
	}
	if state == nil {
		res.Code, res.Reason, res.Message = 125, ReasonHost, "how the command ended is not known"
		return res
	}
	res.Code = state.ExitCode()
	res.CPU = state.UserTime() + state.SystemTime()
	res.MaxRSS = maxRSS(state)
	if sig := signalOf(state); sig != 0 {
		res.Signal, res.Code, res.Reason = sig, 128+sig, ReasonSignal
		res.Message = fmt.Sprintf("ended by signal %d", sig)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reason != "" {
		res.Reason = p.reason
		res.Message = stopMessage(p.reason, p.spec, p.hard, res.Signal != 0, 0)
		if runtime.GOOS == "windows" && p.hard {
			res.Signal, res.Code = 9, 137
		}
	}
	return res
}
