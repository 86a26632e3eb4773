package cli

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/pflag"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/demo"
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
func openScreen(env *environment, ctx context.Context, c control.Control, attached bool) (stop bool, err error) {
	s := env.look
	cfg, err := env.configuration()
	if err != nil {
		return true, err
	}
	keys, err := screenKeys(cfg)
	if err != nil {
		return true, err
	}
	kept := recall{dir: env.Paths.State}
	styles, load, ask, err := screenStyles(env, s, cfg.Screen.Theme, kept)
	if err != nil {
		return true, err
	}
	around := func() control.Control { return demo.New(demo.Options{Seed: 7}) }
	if s.demo {
		around = nil
	}
	left, err := ui.Run(ctx, ui.Options{
		Aside:   around,
		Control: c, In: env.Stdin, Out: env.Stdout, Styles: styles, LoadTheme: load,
		Keys: keys, Themes: themeNames(env), SaveTheme: kept.keepTheme, History: kept.commands(), Remember: kept.keepCommand,
		StateDir: env.Paths.State, Getenv: env.getenv, ReadOnly: env.isReadOnly(),
		ReducedMotion: s.calm, NoMouse: s.mouse, Demo: s.demo, Windows: runtime.GOOS == "windows", Attached: attached, AskBackground: ask,
	})
	return left != ui.KeepRunning, err
}

// keptRunning is what is said when a person left the screen and the node goes on.
const keptRunning = "the node keeps running here; interrupt to stop it, and look again with: octaskly ui"

func (s *server) left(stop bool) {
	if stop {
		s.doDrain()
		return
	}
	fmt.Fprintln(s.env.Stderr, keptRunning)
}
