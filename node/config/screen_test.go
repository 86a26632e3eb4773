package config

import (
	"reflect"
	"strings"
	"testing"
)

func TestScreenInTheFile(t *testing.T) {
	path := write(t, `theme = "dusk"
port = 8001

[keys]
quit = "Q"
"task.new" = ["N", "ctrl+t", "N"]
task.cancel = "X"
mark = " "
zoom = []
`)
	l, err := Load(Sources{File: path})
	if err != nil {
		t.Fatal(err)
	}
	if l.Screen.Theme != "dusk" || l.Port != 8001 {
		t.Errorf("%+v", l.Screen)
	}
	want := map[string]KeySetting{
		"quit":        {[]string{"Q"}, path + ":5"},
		"task.new":    {[]string{"N", "ctrl+t"}, path + ":6"},
		"task.cancel": {[]string{"X"}, path + ":7"},
		"mark":        {[]string{"space"}, path + ":8"},
		"zoom":        {[]string{}, path + ":9"},
	}
	if !reflect.DeepEqual(l.Screen.Keys, want) {
		t.Errorf("%+v\nwant %+v", l.Screen.Keys, want)
	}
}

func TestScreenFaults(t *testing.T) {
	for text, want := range map[string]string{
		"theme = [1]":                     ":1: theme: takes text",
		"port = 1\nkeys = 3":              ":2: keys: takes a table",
		"\n[keys]\nquit = 3":              ":3: keys: quit: takes a key",
		"[keys]\nquit = \"\"":             ":2: keys: quit: takes a key",
		"[keys]\nquit = [\"a\", \"\\n\"]": ":2: keys: quit: takes a key",
		"themes = \"dark\"":               `did you mean "theme"?`,
	} {
		_, err := Load(Sources{File: write(t, text)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
