// Package cli is the plain face of Octaskly, and the place where the program
// is put together: verbs, flags, exit codes, and the node or screen behind
// them.
package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/queue/task"
	_ "github.com/adauldev/octaskly/theme" // its guard must be linked before Bubble Tea
)

// Program is one run of the program, with everything it may touch. Main fills
// in what is missing from the process it runs in, except Signals.
type Program struct {
	Args    []string // without the name of the program
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Environ []string
	Paths   config.Paths
	Asks    bool // a person can answer questions on Stdin
	// Signals brings what the person or the system asks this process to do.
	// A nil channel is never asked.
	Signals chan os.Signal
	Dial    Dialer                // nil is the cluster of this user
	Serve   func(s Serving) error // runs a node until it has stopped; nil is a real one, in this process
}

// Main runs one command line and returns the process's exit code. It does not
// end the process and prints everything there is to say itself.
//
// A panic, which is a fault of ours, ends in a report file and exit code 70.
func Main(p Program) (code int) {
	fill(&p)
	env := newEnvironment(p)
	defer env.close()
	defer func() {
		if v := recover(); v != nil {
			reportCrash(env, v, debug.Stack())
			code = exitInternal
		}
	}()
	err := env.execute()
	code = exitCode(err, env.follows)
	env.sayError(err)
	return code
}

func fill(p *Program) {
	if p.Stdin == nil {
		p.Stdin = os.Stdin
	}
	p.Asks = p.Asks || isTerminal(p.Stdin)
	if p.Stdout == nil {
		p.Stdout = os.Stdout
	}
	if p.Stderr == nil {
		p.Stderr = os.Stderr
	}
	if p.Environ == nil {
		p.Environ = os.Environ()
	}
	if p.Paths == (config.Paths{}) {
		p.Paths = config.DefaultPaths()
	}
	if p.Dial == nil {
		p.Dial = dialFrom(p.Paths)
	}
	if p.Serve == nil {
		p.Serve = serveInProcess
	}
}

// environment is what the verbs of one run share: the program, its global flags,
// and what it opened. It is used by one goroutine, save where a field says otherwise.
type environment struct {
	Program
	out printer

	flags   globals
	look    screenFlags
	start   startFlags
	given   map[string][]string // settings given as flags
	loaded  *config.Loaded
	follows bool // the exit code is a task's, so our own failures are 125
	log     *logSetup

	unprinted error // why a page of help was not printed

	// ctx ends at the first signal, unless somebody took the signals over.
	ctx    context.Context
	stop   context.CancelCauseFunc
	signal chan os.Signal // after takeSignals: every signal, in order
	take   chan struct{}  // closed by takeSignals
	done   chan struct{}  // closed by close; ends the goroutine that watches Signals
	ended  chan struct{}  // closed when that goroutine has ended
}

func newEnvironment(p Program) *environment {
	env := &environment{
		Program: p, given: map[string][]string{},
		signal: make(chan os.Signal, 8), take: make(chan struct{}),
		done: make(chan struct{}), ended: make(chan struct{}),
	}
	env.ctx, env.stop = context.WithCancelCause(context.Background())
	env.out = printer{out: p.Stdout, err: p.Stderr}
	go env.watchSignals()
	return env
}

func (env *environment) close() {
	close(env.done)
	<-env.ended
	env.stop(nil)
	if env.log != nil {
		env.log.close()
	}
}

// execute parses the command line and runs the verb.
func (env *environment) execute() error {
	root := newRootCommand(env)
	args := joinBools(root, env.Args)
	root.SetArgs(args)
	env.out.json = hasJSON(args)
	if c, _, err := root.Find(args); err == nil {
		env.follows = followsTask(c, args)
	}
	err := root.ExecuteContext(env.ctx)
	if err == nil {
		err = env.unprinted
	}
	var sig signalled
	if err != nil && errors.As(context.Cause(env.ctx), &sig) {
		return sig
	}
	return err
}

// hasJSON finds --json before flags are parsed, so that a fault in the flags
// themselves is told in JSON too.
func hasJSON(args []string) bool {
	for _, s := range args {
		switch s {
		case "--":
			return false
		case "--json", "--json=true":
			return true
		}
	}
	return false
}

// followsTask reports whether a verb ends with a task's exit code.
func followsTask(c *cobra.Command, args []string) bool {
	switch c.Name() {
	case "run", "wait":
		return true
	case "submit":
		for _, s := range args {
			switch s {
			case "--":
				return false
			case "--wait", "-w", "--follow", "-f", "--wait=true", "--follow=true":
				return true
			}
		}
	}
	return false
}

// configuration is read once, when the first verb needs it.
func (env *environment) configuration() (*config.Loaded, error) {
	if env.loaded != nil {
		return env.loaded, nil
	}
	src := config.Sources{File: env.Paths.File, Environ: env.Environ, Flags: env.given}
	if f := env.flags.config; f != "" {
		src.File, src.FileMust = f, true
	} else if f := env.getenv("OCTASKLY_CONFIG"); f != "" {
		src.File, src.FileMust = f, true
	}
	l, err := interruptible(env.ctx, func() (*config.Loaded, error) { return config.Load(src) })
	if env.ctx.Err() != nil {
		return nil, context.Cause(env.ctx)
	}
	if err != nil {
		return nil, task.Errorf(task.KindUsage, "%w", err)
	}
	env.loaded = l
	return l, nil
}

// getenv reads this run's environment; the last entry of a name wins.
func (env *environment) getenv(name string) string {
	for i := len(env.Environ) - 1; i >= 0; i-- {
		if kv := env.Environ[i]; len(kv) > len(name) && kv[:len(name)] == name && kv[len(name)] == '=' {
			return kv[len(name)+1:]
		}
	}
	return ""
}
