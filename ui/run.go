// Package ui is the dashboard: a full-screen view of a cluster and everything
// one can do with it, from the keyboard. It is a client of control.Control,
// also when the node is in the same process.
package ui

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/tuning"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// Options says what to show and where. Control, In, Out and Styles are
// required; the zero values of the others are useful.
type Options struct {
	Control control.Control
	In      io.Reader
	Out     io.Writer
	Styles  *theme.Styles // theme.NewStyles for this terminal

	Keys      map[string][]string                    // action to keys, from the configuration
	Themes    []string                               // names to choose from; empty is the built-in ones
	LoadTheme func(name string) (theme.Theme, error) // nil knows the built-in ones
	SaveTheme func(name string)                      // remembers a choice; may be nil
	History   []string                               // commands submitted before, oldest first
	Remember  func(command string)                   // keeps a submitted command; may be nil
	Dir       string                                 // for saved output; empty is the current directory
	StateDir  string                                 // for the copy file; empty is the system's temporary one
	Getenv    func(string) string                    // nil is os.Getenv
	Now       func() time.Time                       // nil is time.Now

	Aside func() control.Control // a fleet to look around in before there is a cluster; may be nil

	ReadOnly      bool
	ReducedMotion bool
	NoMouse       bool
	Blocks        bool // graphs of blocks instead of braille
	Demo          bool
	Windows       bool // the shell of this node is cmd
	Attached      bool // the node runs in another process
	AskBackground bool // Styles is dark by default: ask the terminal, and use the light theme if its background is light
}

// Leaving is what the person chose for the node when leaving.
type Leaving = scene.Leaving

// The ways to leave.
const (
	KeepRunning  = scene.KeepRunning
	DrainAndStop = scene.DrainAndStop
)

// KeyError is a change of keys that cannot be made.
type KeyError = scene.KeyError

// CheckKeys reports what is wrong with Options.Keys, as a *KeyError.
func CheckKeys(remap map[string][]string) error {
	_, err := scene.NewKeys(remap)
	return err
}

// Run shows the dashboard until the person leaves or ctx ends, and returns
// what should become of the node. The terminal is as it was before, also
// after a panic, which is returned as a *CrashError. Errors of the cluster
// never end it.
func Run(ctx context.Context, o Options) (Leaving, error) {
	// Bubble Tea's own handler may wait for ever for a loop that has ended.
	ctx, release := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer release()
	if o.AskBackground && o.Styles != nil && !darkBackground(o.Out) {
		if t, err := theme.Builtin("light", false); err == nil {
			o.Styles = theme.NewStyles(t, o.Styles.Depth, o.Styles.Glyphs.ASCII)
		}
	}
	for {
		left, err := show(ctx, o)
		if left != scene.LookAround || err != nil {
			return left, err
		}
		around := o
		around.Control, around.Aside, around.Demo = aside{o.Aside(), o.Control}, nil, true
		if _, err := show(ctx, around); err != nil || ctx.Err() != nil {
			return KeepRunning, err
		}
	}
}

// aside is a fleet to look around in. Who wants the real node is heard all the
// same.
type aside struct {
	control.Control
	real control.Control
}

func (a aside) Offers(ctx context.Context) (control.OfferStream, error) { return a.real.Offers(ctx) }

func (a aside) Decide(ctx context.Context, id uint64, yes bool) error {
	return a.real.Decide(ctx, id, yes)
}

// show is one screen from its beginning to its end.
func show(ctx context.Context, o Options) (Leaving, error) {
	a, err := newApp(o)
	if err != nil {
		return KeepRunning, err
	}
	var count atomic.Int64
	out := lock(o.Out, &count)
	a.clip.out, a.paint.out = out, out
	opts := []tea.ProgramOption{tea.WithoutSignalHandler(), tea.WithInput(o.In), tea.WithOutput(modesOf(out)), tea.WithAltScreen(), tea.WithFPS(1), tea.WithReportFocus()}
	if !o.NoMouse {
		opts = append(opts, tea.WithMouseCellMotion())
	}
	p := tea.NewProgram(a, opts...)
	defer context.AfterFunc(ctx, p.Quit)()
	a.crash.stop = p.Quit
	pu := newPump(o.Control, o.Now, func(m any) { p.Send(m) })
	pu.crash, pu.sent = a.crash, count.Load
	pu.mute = o.ReadOnly
	pu.slow.Store(o.ReducedMotion)
	a.ask, a.touch = pu.ask, pu.touch
	a.later = func(d time.Duration) { time.AfterFunc(d, func() { p.Send(lateMsg{}) }) }
	a.slow = func(on bool) { pu.slow.Store(on || o.ReducedMotion) }
	defer tuning.AtLeast(leastProcs)()
	work, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { pu.run(work) })
	_, err = p.Run()
	stop()
	wg.Wait()
	if crash := a.crash.report(a.clip.dir); crash != nil {
		return KeepRunning, crash
	}
	return a.left, err
}

// leastProcs is how many goroutines may run at once while a screen is open,
// also on a machine with fewer cores. On one that is overloaded with tasks, each
// running goroutine may lose its core to another program in the middle; with only
// as many as cores, a key would wait until it gets it back.
const leastProcs = 8

func newApp(o Options) (*app, error) {
	if o.Control == nil || o.Styles == nil {
		return nil, fmt.Errorf("open the dashboard: a control and styles are required")
	}
	keys, err := scene.NewKeys(o.Keys)
	if err != nil {
		return nil, err
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.StateDir == "" {
		o.StateDir = os.TempDir()
	}
	if o.Dir == "" {
		o.Dir = "."
	}
	save := o.SaveTheme
	if save == nil {
		save = func(string) {}
	}
	remember := o.Remember
	if remember == nil {
		remember = func(string) {}
	}
	graph := part.Braille
	if o.Blocks {
		graph = part.Blocks
	}
	m := screen.New(o.Styles, keys, scene.Options{
		ReadOnly: o.ReadOnly, Reduced: o.ReducedMotion, Graph: graph, Mouse: !o.NoMouse, Demo: o.Demo, NoDemo: o.Aside == nil,
		Windows: o.Windows, History: o.History, Themes: o.Themes, Load: o.LoadTheme, Attached: o.Attached,
	})
	return &app{
		m: m, ctl: o.Control, now: o.Now, ask: func(scene.Want) {}, slow: func(bool) {}, touch: func() {}, later: func(time.Duration) {}, paint: painter{out: io.Discard}, save: save, remember: remember, crash: &crashes{}, limit: 15 * time.Second, stale: true,
		clip: clipboard{out: io.Discard, env: o.Getenv, dir: o.StateDir},
		write: func(id task.ID) (string, error) {
			return writeAll(context.Background(), o.Control, id, o.Dir)
		},
	}, nil
}
