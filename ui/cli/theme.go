package cli

import (
	"cmp"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
)

// screenStyles is the theme for this terminal, how to load others, and whether the
// terminal must still be asked for its background.
func screenStyles(env *environment, s screenFlags, inFile string, kept recall) (*theme.Styles, func(string) (theme.Theme, error), bool, error) {
	switch s.color {
	case "auto", "always", "never":
	default:
		return nil, nil, false, task.Errorf(task.KindUsage, "--color %s is not auto, always or never", s.color)
	}
	name := cmp.Or(s.theme, env.getenv("OCTASKLY_THEME"), inFile)
	dark, known := theme.DetectDark(env.getenv)
	load := func(n string) (theme.Theme, error) { return loadTheme(env, n, dark || !known) }
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
	depth := theme.DetectDepth(theme.Terminal{Color: s.color, TTY: isTerminal(env.Stdout), Getenv: env.getenv})
	return theme.NewStyles(t, depth, theme.DetectASCII(s.ascii, runtime.GOOS == "windows", env.getenv)), load, name == "auto" && !known, nil
}

// loadTheme finds a built-in theme, or one in a file: a path, or a name in the
// folder themes beside the configuration file.
func loadTheme(env *environment, name string, dark bool) (theme.Theme, error) {
	t, err := theme.Builtin(name, dark)
	if err == nil {
		return t, nil
	}
	path := name
	if filepath.Ext(name) != ".toml" {
		path = filepath.Join(filepath.Dir(env.Paths.File), "themes", name+".toml")
	}
	b, rerr := os.ReadFile(path)
	if rerr != nil {
		return t, task.Errorf(task.KindUsage, "there is no theme %s: %w", name, err).
			WithHint("the built-in themes are %v; your own go into %s", theme.Names(), filepath.Join(filepath.Dir(env.Paths.File), "themes"))
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
func themeNames(env *environment) []string {
	names := theme.Names()
	own, _ := filepath.Glob(filepath.Join(filepath.Dir(env.Paths.File), "themes", "*.toml"))
	for _, path := range own {
		if n := strings.TrimSuffix(filepath.Base(path), ".toml"); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}
