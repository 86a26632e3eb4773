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
	"syscall"

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
	Backend Backend
}

// Main runs one command line and returns the process's exit code. It does not
// end the process and prints everything there is to say itself.
//
// A panic, which is a fault of ours, ends in a report file and exit code 70.
func Main(p Program) (code int) {
	fill(&p)
	a := newApp(p)
	defer a.close()
	defer func() {
		if v := recover(); v != nil {
			a.crashed(v, debug.Stack())
			code = exitInternal
		}
	}()
	err := a.execute()
	code = exitCode(err, a.follows)
	a.sayError(err)
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
}

// app is one run: the program, its global flags, and what it opened. It is
// used by one goroutine, save where a field says otherwise.
type app struct {
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

// signalled is why a context ended: a signal came.
type signalled struct{ os.Signal }

// Error names the signal.
func (s signalled) Error() string { return "interrupted by " + s.String() }

// code is 128 and the signal's number, as a shell would say it.
func (s signalled) code() int {
	if n, ok := s.Signal.(syscall.Signal); ok && n > 0 && n < 64 {
		return 128 + int(n)
	}
	return 130
}

func newApp(p Program) *app {
	a := &app{
		Program: p, given: map[string][]string{},
		signal: make(chan os.Signal, 8), take: make(chan struct{}),
		done: make(chan struct{}), ended: make(chan struct{}),
	}
	a.ctx, a.stop = context.WithCancelCause(context.Background())
	a.out = printer{out: p.Stdout, err: p.Stderr}
	go a.watchSignals()
	return a
}

// watchSignals ends ctx at a signal, or hands signals on to whoever took them
// over. A full channel drops: nobody needs a ninth interrupt.
func (a *app) watchSignals() {
	defer close(a.ended)
	for {
		select {
		case <-a.done:
			return
		case s := <-a.Signals:
			if s == syscall.SIGPIPE {
				continue
			}
			select {
			case <-a.take:
				select {
				case a.signal <- s:
				default:
				}
			default:
				a.stop(signalled{s})
			}
		}
	}
}

// takeSignals makes signals arrive in the returned channel instead of ending
// ctx. It may be called once.
func (a *app) takeSignals() <-chan os.Signal {
	close(a.take)
	return a.signal
}

func (a *app) close() {
	close(a.done)
	<-a.ended
	a.stop(nil)
	if a.log != nil {
		a.log.close()
	}
}

// execute parses the command line and runs the verb.
func (a *app) execute() error {
	root := a.rootCommand()
	args := joinBools(root, a.Args)
	root.SetArgs(args)
	a.out.json = hasJSON(args)
	if c, _, err := root.Find(args); err == nil {
		a.follows = followsTask(c, args)
	}
	err := root.ExecuteContext(a.ctx)
	if err == nil {
		err = a.unprinted
	}
	var sig signalled
	if err != nil && errors.As(context.Cause(a.ctx), &sig) {
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
func (a *app) configuration() (*config.Loaded, error) {
	if a.loaded != nil {
		return a.loaded, nil
	}
	src := config.Sources{File: a.Paths.File, Environ: a.Environ, Flags: a.given}
	if f := a.flags.config; f != "" {
		src.File, src.FileMust = f, true
	} else if f := a.getenv("OCTASKLY_CONFIG"); f != "" {
		src.File, src.FileMust = f, true
	}
	l, err := config.Load(src)
	if err != nil {
		return nil, task.Errorf(task.KindUsage, "%w", err)
	}
	a.loaded = l
	return l, nil
}

// getenv reads this run's environment; the last entry of a name wins.
func (a *app) getenv(name string) string {
	for i := len(a.Environ) - 1; i >= 0; i-- {
		if kv := a.Environ[i]; len(kv) > len(name) && kv[:len(name)] == name && kv[len(name)] == '=' {
			return kv[len(name)+1:]
		}
	}
	return ""
}
