package theme

import (
	"embed"
	"fmt"
	"sort"
)

// Theme gives every token a colour.
type Theme struct {
	Name   string
	Light  bool // made for a light background
	Colors [tokenCount]Color
}

//go:embed themes/*.toml
var themeFiles embed.FS

var builtin = mustLoadBuiltin()

func mustLoadBuiltin() map[string]Theme {
	entries, err := themeFiles.ReadDir("themes")
	if err != nil {
		panic("theme: the shipped themes are not readable: " + err.Error())
	}
	all := make(map[string]Theme, len(entries))
	for _, e := range entries {
		b, err := themeFiles.ReadFile("themes/" + e.Name())
		if err != nil {
			panic("theme: " + err.Error())
		}
		t, err := Parse(e.Name(), b)
		if err != nil {
			panic("theme: a shipped theme is wrong: " + err.Error())
		}
		all[t.Name] = t
	}
	return all
}

// Names lists the themes that are built in; the first, auto, means dark or
// light after the terminal's background.
func Names() []string {
	names := make([]string, 0, len(builtin))
	for n := range builtin {
		names = append(names, n)
	}
	sort.Strings(names)
	return append([]string{"auto"}, names...)
}

// Builtin finds a built-in theme. For auto, dark says which background the
// terminal has.
func Builtin(name string, dark bool) (Theme, error) {
	if name == "auto" || name == "" {
		name = "light"
		if dark {
			name = "dark"
		}
	}
	t, ok := builtin[name]
	if !ok {
		return Theme{}, fmt.Errorf("there is no theme %q; built in are %v", name, Names())
	}
	return t, nil
}
