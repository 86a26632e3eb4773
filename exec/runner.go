package exec

import (
	"context"
	"log/slog"
)

// Options configure a Runner.
type Options struct {
	// WorkRoot is where directories for commands are made. It is created with
	// mode 0700 if it is not there. Nothing else may write into it.
	WorkRoot string
	// Levels are the levels to offer; a command at any other is refused. Empty
	// means None only.
	Levels []Level
	// Logger receives what a Runner has to say; nil is slog.Default.
	Logger *slog.Logger
}

// Runner runs commands. Its methods may be called from many goroutines. One
// process holds at most one Runner.
type Runner struct {
	opt Options
}

// NewRunner checks the options and prepares the process for running commands.
func NewRunner(opt Options) (*Runner, error) { return &Runner{opt: opt}, nil }

// Start runs a command; see Starter.
func (r *Runner) Start(ctx context.Context, spec Spec) (Run, error) {
	return nil, startError(ReasonRefused, "commands cannot be run yet")
}

// Capabilities says which levels are offered and by what.
func (r *Runner) Capabilities() Capabilities { return Capabilities{} }

// SweepLeftovers kills what an earlier Runner left; see Starter.
func (r *Runner) SweepLeftovers(ctx context.Context, cookiePrefix string) (int, error) {
	return 0, nil
}

// Close gives back what the Runner holds. No command may be running.
func (r *Runner) Close() error { return nil }

var _ Starter = (*Runner)(nil)
