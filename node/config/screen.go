package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Screen is what the file says about the dashboard. Which actions and themes
// there are, the dashboard knows; here they are only read.
type Screen struct {
	Theme string // name or path of a theme; empty if the file names none
	Keys  map[string]KeySetting
}

// KeySetting is the keys of one action and the line that sets them.
type KeySetting struct {
	Keys  []string
	Where string // file:line
}

// screenSetting reads a top-level key that is the dashboard's own. It reports
// whether key is one of those.
func (f *fileValues) screenSetting(path string, data []byte, key string, v any) (mine bool, faults Faults) {
	where := func(line int) string { return fmt.Sprintf("%s:%d", path, line) }
	switch key {
	case "theme":
		text, err := tomlText(v)
		if err != nil {
			return true, Faults{{Where: where(lineOf(data, key)), Text: fmt.Sprintf("theme: %v", err)}}
		}
		f.screen.Theme = text
		return true, nil
	case "keys":
		table, ok := v.(map[string]any)
		if !ok {
			return true, Faults{{Where: where(lineOf(data, key)), Text: `keys: takes a table: [keys] and below it lines like task.new = "N"`}}
		}
		f.screen.Keys = map[string]KeySetting{}
		for action, value := range flatten("", table) {
			at := where(keyLine(data, action))
			keys, err := keyNames(value)
			if err != nil {
				faults = append(faults, Fault{Where: at, Text: fmt.Sprintf("keys: %s: %v", action, err)})
				continue
			}
			f.screen.Keys[action] = KeySetting{Keys: keys, Where: at}
		}
		return true, faults
	}
	return false, nil
}

// flatten writes nested tables with dots, as TOML reads  task.new = "N".
func flatten(prefix string, table map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range table {
		if sub, ok := v.(map[string]any); ok {
			maps.Copy(out, flatten(prefix+k+".", sub))
			continue
		}
		out[prefix+k] = v
	}
	return out
}

// keyNames reads one key or a list of them; an empty list takes the keys away.
func keyNames(v any) ([]string, error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	out := []string{}
	for _, e := range list {
		t, ok := e.(string)
		if !ok || t == "" || len(t) > 32 || strings.ContainsAny(t, "\x00\n\r\t") {
			return nil, fmt.Errorf(`takes a key like "N", "ctrl+t" or "space", or a list of them`)
		}
		if t == " " {
			t = "space"
		}
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out, nil
}

// keyLine finds where an action of the table keys is written.
func keyLine(data []byte, action string) int {
	head := regexp.MustCompile(`(?m)^[ \t]*\[?["']?keys\b`).FindIndex(data)
	if head == nil {
		return 1
	}
	last := action[strings.LastIndexByte(action, '.')+1:]
	for _, name := range []string{action, last} {
		re, err := regexp.Compile(`(?m)^[ \t]*(keys\.)?["']?` + regexp.QuoteMeta(name) + `["']?[ \t]*=`)
		if err != nil {
			continue
		}
		if at := re.FindIndex(data[head[0]:]); at != nil {
			return 1 + strings.Count(string(data[:head[0]+at[0]]), "\n")
		}
	}
	return 1 + strings.Count(string(data[:head[0]]), "\n")
}
