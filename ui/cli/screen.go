package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/demo"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui"
)

// screenFlags are how a person wants the screen.
type screenFlags struct {
	color, theme             string
	ascii, calm, mouse, demo bool
}

func (s *screenFlags) register(f *pflag.FlagSet) {
	f.StringVar(&s.color, "color", "auto", "colour: auto, always or never")
	f.StringVar(&s.theme, "theme", "", "theme `NAME` or file: auto, dark, light, mono, high-contrast")
	f.BoolVar(&s.ascii, "ascii", false, "draw with ASCII only")
	f.BoolVar(&s.calm, "reduced-motion", false, "nothing on the screen moves by itself")
	f.BoolVar(&s.mouse, "no-mouse", false, "leave the mouse to the terminal")
}

// open shows the dashboard until the person leaves, and reports whether the
// node in this process should stop.
func (a *app) openScreen(ctx context.Context, c control.Control, attached bool) (stop bool, err error) {
	s := a.look
	cfg, err := a.configuration()
	if err != nil {
		return true, err
	}
	keys, err := screenKeys(cfg)
	if err != nil {
		return true, err
	}
	kept := recall{dir: a.Paths.State}
	styles, load, ask, err := a.styles(s, cfg.Screen.Theme, kept)
	if err != nil {
		return true, err
	}
	around := func() control.Control { return demo.New(demo.Options{Seed: 7}) }
	if s.demo {
		around = nil
	}
	left, err := ui.Run(ctx, ui.Options{
		Aside:   around,
		Control: c, In: a.Stdin, Out: a.Stdout, Styles: styles, LoadTheme: load,
		Keys: keys, Themes: a.themeNames(), SaveTheme: kept.keepTheme, History: kept.commands(), Remember: kept.keepCommand,
		StateDir: a.Paths.State, Getenv: a.getenv, ReadOnly: a.isReadOnly(),
		ReducedMotion: s.calm, NoMouse: s.mouse, Demo: s.demo, Windows: runtime.GOOS == "windows", Attached: attached, AskBackground: ask,
	})
	return left != ui.KeepRunning, err
}

// styles is the theme for this terminal, how to load others, and whether the
// terminal must still be asked for its background.
func (a *app) styles(s screenFlags, inFile string, kept recall) (*theme.Styles, func(string) (theme.Theme, error), bool, error) {
	switch s.color {
	case "auto", "always", "never":
	default:
		return nil, nil, false, task.Errorf(task.KindUsage, "--color %s is not auto, always or never", s.color)
	}
	name := cmp.Or(s.theme, a.getenv("OCTASKLY_THEME"), inFile)
	dark, known := theme.DetectDark(a.getenv)
	load := func(n string) (theme.Theme, error) { return a.loadTheme(n, dark || !known) }
	if name == "" { // the last choice, if it is still there
		if name = kept.theme(); name != "" {
			if _, err := load(name); err != nil {
				name = ""
			}
		}
	}
	name = cmp.Or(name, "auto")
	t, err := load(name)
	if err != nil {
		return nil, nil, false, err
	}
	depth := theme.DetectDepth(theme.Terminal{Color: s.color, TTY: isTerminal(a.Stdout), Getenv: a.getenv})
	return theme.NewStyles(t, depth, theme.DetectASCII(s.ascii, runtime.GOOS == "windows", a.getenv)), load, name == "auto" && !known, nil
}

// loadTheme finds a built-in theme, or one in a file: a path, or a name in the
// folder themes beside the configuration file.
func (a *app) loadTheme(name string, dark bool) (theme.Theme, error) {
	t, err := theme.Builtin(name, dark)
	if err == nil {
		return t, nil
	}
	path := name
	if filepath.Ext(name) != ".toml" {
		path = filepath.Join(filepath.Dir(a.Paths.File), "themes", name+".toml")
	}
	b, rerr := os.ReadFile(path)
	if rerr != nil {
		return t, task.Errorf(task.KindUsage, "there is no theme %s: %w", name, err).
			WithHint("the built-in themes are %v; your own go into %s", theme.Names(), filepath.Join(filepath.Dir(a.Paths.File), "themes"))
	}
	t, err = theme.Parse(name, b)
	if err != nil {
		return t, task.Errorf(task.KindUsage, "theme %s: %w", path, err)
	}
	t.Name = name
	return t, nil
}

// themeNames is the themes to choose from: the built-in ones and the person's
// own, which are files in the folder themes beside the configuration file.
func (a *app) themeNames() []string {
	names := theme.Names()
	own, _ := filepath.Glob(filepath.Join(filepath.Dir(a.Paths.File), "themes", "*.toml"))
	for _, path := range own {
		if n := strings.TrimSuffix(filepath.Base(path), ".toml"); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// screenKeys is the changes of the dashboard's keys. What cannot be changed is
// reported with the line of the file that asks for it.
func screenKeys(cfg *config.Loaded) (map[string][]string, error) {
	remap := make(map[string][]string, len(cfg.Screen.Keys))
	for action, k := range cfg.Screen.Keys {
		remap[action] = k.Keys
	}
	err := ui.CheckKeys(remap)
	var bad *ui.KeyError
	if !errors.As(err, &bad) {
		return remap, err
	}
	where := cfg.Screen.Keys[bad.Action].Where
	if where == "" {
		where = cfg.Screen.Keys[bad.Other].Where
	}
	return nil, task.Errorf(task.KindUsage, "%s: %w", where, bad).WithHint("the names and keys of all actions: press ? or : on the dashboard")
}

func (a *app) uiCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "ui", Short: "look at a node that runs already", Args: exactly(0, ""),
		Long: `Open the dashboard on the node that runs here. Leaving it leaves the node as it
is. It works over SSH too:  ssh -t HOST octaskly ui`,
		RunE: func(*cobra.Command, []string) error {
			if err := a.needsTerminal(); err != nil {
				return err
			}
			c, err := a.connect()
			if err != nil {
				return err
			}
			defer c.close()
			_, err = a.openScreen(a.ctx, c, true)
			return err
		},
	}
	a.look.register(cmd.Flags())
	return cmd
}

func (a *app) demoCommand() *cobra.Command {
	var nodes, tasks int
	var seed uint64
	cmd := &cobra.Command{
		Use: "demo", Short: "look at a fleet that does not exist", Args: exactly(0, ""),
		Long: `Open the dashboard on a simulated fleet. Nothing is run and no socket is opened;
the same seed gives the same fleet.`,
		Example: `  octaskly demo
  octaskly demo --demo-nodes 1000 --demo-tasks 1000000 --seed 7`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if nodes < 1 || nodes > 10_000 {
				return usageOf(cmd, "--demo-nodes %d is not between 1 and 10000", nodes)
			}
			if tasks < 0 || tasks > 5_000_000 {
				return usageOf(cmd, "--demo-tasks %d is not between 0 and 5000000", tasks)
			}
			if err := a.needsTerminal(); err != nil {
				return err
			}
			a.look.demo = true
			_, err := a.openScreen(a.ctx, demo.New(demo.Options{Nodes: nodes, Tasks: tasks, Seed: seed}), false)
			return err
		},
	}
	cmd.Flags().IntVar(&nodes, "demo-nodes", 8, "how many nodes")
	cmd.Flags().IntVar(&tasks, "demo-tasks", 10_000, "how many tasks")
	cmd.Flags().Uint64Var(&seed, "seed", 7, "which fleet")
	a.look.register(cmd.Flags())
	return cmd
}

// needsTerminal refuses to draw where nobody could see it.
func (a *app) needsTerminal() error {
	if isTerminal(a.Stdout) && isTerminal(a.Stdin) {
		return nil
	}
	return task.Errorf(task.KindUsage, "the dashboard needs a terminal").
		WithHint("for text instead: octaskly status, octaskly top")
}

// keptRunning is what is said when a person left the screen and the node goes on.
const keptRunning = "the node keeps running here; interrupt to stop it, and look again with: octaskly ui"

func (s *server) left(stop bool) {
	if stop {
		s.doDrain()
		return
	}
	fmt.Fprintln(s.a.Stderr, keptRunning)
}
