package exec

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Options configure a Runner.
type Options struct {
	// WorkRoot is where directories for commands are made. It is created with
	// mode 0700 if it is not there. Nothing else may write into it.
	WorkRoot string
	// Levels are the levels to offer; a command at any other is refused. Empty
	// means None only.
	Levels []Level
	// Protect names files and folders that no contained command can read: keys,
	// queues, sockets. WorkRoot and the usual places of credentials are
	// protected in any case.
	Protect []string
	// AllowDirs are folders that Spec.Dir may name, or name something in, at Basic and
	// above, besides the system's folders for temporary files. What Protect names is
	// not opened by them.
	AllowDirs []string
	// AllowRead are files and folders in homes that commands at Basic may read. The
	// rest of homes is closed to them, but for where programs are.
	AllowRead []string
	// TaskUser is who contained commands run as when this process is root, a
	// name or a number; empty is nobody. Others than root cannot set it.
	TaskUser string
	// Logger receives what a Runner has to say; nil is slog.Default.
	Logger *slog.Logger
}

// Runner runs commands and leaves nothing of them behind.
//
// After Wait of a Run, no process that the command started lives, whatever it
// did to get away, or the Result names the ones that do. To keep this promise
// on Linux the whole process becomes a child subreaper: orphans of commands
// become its children. So there is at most one Runner in a process, and other
// code in the process must not call wait4(-1). Children that other code starts
// are not touched as long as they stay in this process's session.
type Runner struct {
	opt  Options
	log  *slog.Logger
	dirs *workDirs
	base []string

	caps Capabilities

	cookies    string
	nextCookie atomic.Uint64

	platform
}

// NewRunner checks the options and prepares the process for running commands.
// It starts nothing. Close gives back what it holds.
func NewRunner(opt Options) (*Runner, error) {
	if opt.Logger == nil {
		opt.Logger = slog.Default()
	}
	dirs, err := newWorkDirs(opt.WorkRoot, newClearing(opt.Logger))
	if err != nil {
		return nil, err
	}
	r := &Runner{opt: opt, log: opt.Logger, dirs: dirs, base: baseEnv(os.Getenv), cookies: rand.Text()[:16] + "-"}

	if err := r.openPlatform(); err != nil {
		return nil, fmt.Errorf("prepare to run commands: %w", err)
	}
	if r.caps, err = r.offered(); err != nil {
		_ = r.closePlatform()
		return nil, err
	}
	return r, nil
}

// offered is what the platform can do of what the options ask for.
func (r *Runner) offered() (Capabilities, error) {
	levels := r.opt.Levels
	if len(levels) == 0 {
		levels = []Level{None}
	}
	var want [levelCount]bool
	for _, l := range levels {
		if !l.Valid() {
			return Capabilities{}, fmt.Errorf("offer sandbox levels: level %d does not exist", uint8(l))
		}
		want[l] = true
	}
	caps, err := r.contain(want)
	if err != nil {
		return caps, fmt.Errorf("offer sandbox levels: %w", err)
	}
	if !want[None] {
		caps.Levels[None].Available, caps.Levels[None].Reason = false, "not offered by this worker"
	}
	return caps, nil
}

// Capabilities says which levels are offered here and by what.
func (r *Runner) Capabilities() Capabilities { return r.caps }

// Start runs a command; see Starter.
func (r *Runner) Start(ctx context.Context, spec Spec) (Run, error) {
	run, err := r.begin(ctx, spec)
	if err != nil {
		spec.CloseStdin()
		return nil, err
	}
	return run, nil
}

func (r *Runner) begin(ctx context.Context, spec Spec) (Run, error) {
	if err := spec.Check(); err != nil {
		return nil, &StartError{Reason: ReasonInvalid, Code: 125, Err: err}
	}
	if err := r.refuse(&spec); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, &StartError{Reason: ReasonCancelled, Code: 125, Err: fmt.Errorf("cancelled before it started: %w", context.Cause(ctx))}
	}
	if spec.Null {
		return startNull(&spec)
	}
	if spec.Cookie == "" {
		spec.Cookie = r.newCookie()
	}
	return r.start(ctx, &spec)
}

// newCookie makes a cookie that no other command has.
func (r *Runner) newCookie() string {
	return r.cookies + strconv.FormatUint(r.nextCookie.Add(1), 10)
}

// refuse says what of a spec is not to be had here. Nothing is ever run with
// less than was asked for.
func (r *Runner) refuse(spec *Spec) error {
	if l := r.caps.Levels[spec.Level]; !l.Available {
		return startError(ReasonRefused, "sandbox level %s is not available here: %s; offered: %s", spec.Level, l.Reason, r.caps.offeredNames())
	}
	l := spec.Limits
	for _, v := range []struct {
		asked bool
		by    string
		name  string
	}{
		{l.MemoryBytes > 0, r.caps.Memory, "memory"},
		{l.CPUTime > 0, r.caps.CPU, "CPU time"},
		{l.DiskBytes > 0, r.caps.Disk, "disk"},
		{l.OpenFiles > 0, r.caps.OpenFiles, "open files"},
		{l.Processes > 0, r.caps.Processes, "process"},
	} {
		if v.asked && v.by == "" {
			return startError(ReasonRefused, "a %s limit cannot be enforced here; run it without that limit or on another worker", v.name)
		}
	}
	if spec.Level == VeryStrict && (l.MemoryBytes > 0 && r.caps.Memory == "poll" || l.Processes > 0 && r.caps.Processes == "poll") {
		return startError(ReasonRefused, "a memory or process limit at sandbox level %s needs control groups, which there are none of here; run it at strict or on another worker", spec.Level)
	}
	return nil
}

func (c Capabilities) offeredNames() string {
	var names []string
	for i, l := range c.Levels {
		if l.Available {
			names = append(names, Level(i).String())
		}
	}
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// Close gives back what the Runner holds. No command may be running.
func (r *Runner) Close() error {
	r.dirs.close()
	err := r.closePlatform()
	r.dirs.clear.close()
	return err
}

var _ Starter = (*Runner)(nil)

// held calls BeforeStart.
func held(spec *Spec) error {
	if spec.BeforeStart == nil {
		return nil
	}
	if err := spec.BeforeStart(); err != nil {
		var se *StartError
		if errors.As(err, &se) {
			return se
		}
		return startError(ReasonHeld, "not started: %w", err)
	}
	return nil
}

// nullRun is a command that does nothing.
type nullRun struct{ at time.Time }

func startNull(spec *Spec) (Run, error) {
	if err := held(spec); err != nil {
		return nil, err
	}
	spec.CloseStdin()
	return nullRun{at: time.Now()}, nil
}

func (nullRun) PID() int             { return 0 }
func (nullRun) Usage() Usage         { return Usage{} }
func (nullRun) Cancel(time.Duration) {}
func (n nullRun) Wait() Result {
	return Result{Reason: ReasonExit, Started: n.at, Ended: n.at, Enforced: "nothing to run"}
}
