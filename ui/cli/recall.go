package cli

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// recall is what the dashboard remembers from one time to the next: the theme
// that was chosen and the commands that were submitted. It is kept in small
// files that only this user can read. What cannot be read or written is noted
// in the log and forgotten, never an error.
type recall struct{ dir string }

// Limits of what is remembered.
const (
	keepCommands = 500
	maxRecall    = 4 << 20 // bytes of a file that are read
)

func (r recall) read(name string) string {
	path := filepath.Join(r.dir, name)
	if info, err := os.Stat(path); err != nil || info.Size() > maxRecall || !info.Mode().IsRegular() {
		return ""
	}
	b, err := os.ReadFile(path)
	if err != nil {
		slog.Debug("nothing is remembered", "file", path, "err", err)
	}
	return string(b)
}

func (r recall) note(err error) {
	if err != nil {
		slog.Warn("the dashboard's choice is not remembered", "err", err)
	}
}

// theme is the theme that was chosen last, or empty.
func (r recall) theme() string { return strings.TrimSpace(r.read("theme")) }

func (r recall) keepTheme(name string) {
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		r.note(err)
		return
	}
	r.note(os.WriteFile(filepath.Join(r.dir, "theme"), []byte(name+"\n"), 0o600))
}

// commands is what was submitted, oldest first, one JSON text a line. A file
// that grew long is cut to the newest.
func (r recall) commands() []string {
	var out []string
	for ln := range strings.Lines(r.read("history")) {
		var cmd string
		if json.Unmarshal([]byte(ln), &cmd) == nil && cmd != "" {
			out = append(out, cmd)
		}
	}
	if len(out) > 2*keepCommands {
		out = out[len(out)-keepCommands:]
		var b strings.Builder
		for _, cmd := range out {
			b.WriteString(line(cmd))
		}
		path := filepath.Join(r.dir, "history")
		if err := os.WriteFile(path+".new", []byte(b.String()), 0o600); err == nil {
			r.note(os.Rename(path+".new", path))
		}
	}
	return out
}

// keepCommand adds one command. Several dashboards may do so at once.
func (r recall) keepCommand(cmd string) {
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		r.note(err)
		return
	}
	f, err := os.OpenFile(filepath.Join(r.dir, "history"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		r.note(err)
		return
	}
	_, err = f.WriteString(line(cmd))
	r.note(err)
	r.note(f.Close())
}

func line(cmd string) string {
	b, err := json.Marshal(cmd)
	if err != nil {
		return ""
	}
	return string(b) + "\n"
}
