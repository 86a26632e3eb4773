package ui

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"

	"github.com/adauldev/octaskly/node/demo"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// sheet is a screen and how a person gets there.
type sheet struct {
	name  string
	demo  demo.Options
	keys  []string
	after func(d *driver)
	warm  time.Duration
}

const warm = 4 * time.Minute

var fresh = demo.Options{Fresh: true, Self: "ana-laptop"}

var big = demo.Options{Nodes: 1000, Tasks: 200_000}

// scenes is every screen, every overlay and every state.
var scenes = []sheet{
	{name: "overview", warm: warm},
	{name: "tasks", keys: []string{"2", "j", "j", "space", "j", "space", "j"}},
	{name: "tasks-filter", keys: []string{"2", "/", "type:ffmpeg state=running"}},
	{name: "tasks-filter-wrong", keys: []string{"2", "/", "type:state=broken"}},
	{name: "tasks-none-match", keys: []string{"2", "/", "type:nosuchcommand", "enter"}},
	{name: "tasks-problems", keys: []string{"2", "!"}},
	{name: "task", keys: []string{"2", "/", "type:ffmpeg state=running", "enter", "j", "enter", "pass:10s"}},
	{name: "task-failed", keys: []string{"2", "/", "type:state=failed pytest", "enter", "enter"}},
	{name: "output", keys: []string{"2", "/", "type:ffmpeg state=running", "enter", "j", "L", "t", "pass:5s"}},
	{name: "output-find", keys: []string{"2", "/", "type:ffmpeg state=done", "enter", "L", "/", "type:speed", "enter", "&"}},
	{name: "nodes", keys: []string{"3", "j", "j"}},
	{name: "nodes-asks", keys: []string{"3", "G"}},
	{name: "node", keys: []string{"3", "j", "j", "enter"}},
	{name: "node-stale", keys: []string{"3", "G", "k", "k", "enter", "pass:20s"}},
	{name: "heat", demo: big, keys: []string{"3", "l", "l", "j"}},
	{name: "events", keys: []string{"4", "pass:9s"}},
	{name: "events-problems", keys: []string{"4", "!"}},
	{name: "new-task", keys: []string{"n"}},
	{name: "new-task-filled", keys: []string{"n", "type:ffmpeg -i s01e13.mkv out.mp4", "tab", "tab", "tab", "type:10m", "tab", "backspace", "type:3", "tab", "backspace", "type:4", "tab", "type:1GiB"}},
	{name: "new-task-wrong", keys: []string{"n", "type:make", "tab", "tab", "tab", "type:soon", "enter"}},
	{name: "new-task-no-node", keys: []string{"n", "type:train", "tab", "tab", "tab", "tab", "tab", "tab", "tab", "backspace", "type:8"}},
	{name: "edit-copy", keys: []string{"2", "j", "e"}},
	{name: "palette", keys: []string{":", "type:dra"}},
	{name: "help", keys: []string{"2", "?"}},
	{name: "help-output", keys: []string{"2", "tab", "tab", "?", "type:foll"}},
	{name: "cancel", keys: []string{"2", "/", "type:state=running", "enter", "space", "space", "x"}},
	{name: "cancel-many", keys: []string{"2", "a", "x"}},
	{name: "drain", keys: []string{"3", "j", "j", "D"}},
	{name: "remove", keys: []string{"3", "j", "j", "x"}},
	{name: "why-waits", keys: []string{"n", "type:train", "tab", "tab", "tab", "tab", "tab", "tab", "tab", "backspace", "type:8", "enter", "w"}},
	{name: "why-failed", keys: []string{"2", "!", "w"}},
	{name: "why-node", keys: []string{"3", "G", "k", "k", "w"}},
	{name: "invite", keys: []string{"i"}},
	{name: "admit", keys: []string{"t", "type:K7QM"}},
	{name: "admit-wrong", keys: []string{"t", "type:K7QU-1111", "enter"}},
	{name: "promote-live", keys: []string{"3", "p"}},
	{name: "themes", keys: []string{"T"}},
	{name: "quit", keys: []string{"q"}},
	{name: "frozen", keys: []string{"2", "P"}},
	{name: "welcome", demo: fresh},
	{name: "welcome-promote", demo: fresh, keys: []string{"p"}},
	{name: "welcome-join", demo: fresh, keys: []string{"j"}},
	{name: "asked", demo: fresh, after: func(d *driver) { d.m.Offered(d.offer(), d.clk) }},
	{name: "asked-yes", demo: fresh, after: func(d *driver) { d.m.Offered(d.offer(), d.clk); d.pass(2 * time.Second); d.keys("y") }},
	{name: "asked-busy", demo: fresh, keys: []string{"?"}, after: func(d *driver) { d.m.Offered(d.offer(), d.clk) }},
	{name: "first-task", demo: fresh, keys: []string{"p", "enter", "n", "enter", "pass:1s"}},
	{name: "empty", demo: fresh, keys: []string{"p", "enter", "2"}},
	{name: "wait", keys: []string{"2"}, after: func(d *driver) { d.ctl.fail.Store(true); d.pass(time.Second) }},
	{name: "lost", keys: []string{"2"}, after: func(d *driver) {
		d.ctl.fail.Store(true)
		for range 17 {
			d.pass(time.Second)
		}
	}},
	{name: "take-over", keys: []string{"3"}, after: func(d *driver) {
		d.ctl.fail.Store(true)
		for range 6 {
			d.pass(time.Second)
		}
		d.keys("p")
	}},
}

var sizes = [][2]int{{60, 15}, {80, 24}, {120, 35}, {200, 50}}

// looks is the ways a screen can be painted.
var looks = []struct {
	name, theme string
	depth       theme.Depth
	ascii       bool
}{
	{"dark", "dark", theme.TrueDeep, false},
	{"light", "light", theme.TrueDeep, false},
	{"mono", "mono", theme.Mono, false},
	{"ascii", "mono", theme.Mono, true},
}

// play goes to a sheet.
func play(t testing.TB, s sheet, look int) *driver {
	t.Helper()
	o := s.demo
	d := drive(t, setup{demo: o, theme: looks[look].theme, depth: looks[look].depth, ascii: looks[look].ascii, warm: s.warm, opt: scene.Options{Demo: false}})
	d.m.Resize(120, 35)
	d.keys(s.keys...)
	if s.after != nil {
		s.after(d)
	}
	return d
}

// The golden of a sheet holds its text in dark at each size, its text in
// ASCII at 80x24, and a hash of every painted screen, so that a change of any
// of them is seen while the files stay small. The pictures in docs/screens are
// made of the same screens.
func TestGoldens(t *testing.T) {
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			var out bytes.Buffer
			var hashes []string
			for i, look := range looks {
				d := play(t, s, i)
				for _, size := range sizes {
					lines := d.view(size[0], size[1])
					all := strings.Join(lines, "\n")
					if look.ascii {
						for _, r := range all {
							if r >= 0x80 {
								t.Fatalf("%v: %q is not ASCII", size, r)
							}
						}
					}
					hashes = append(hashes, fmt.Sprintf("%-6s %3dx%d %.6x", look.name, size[0], size[1], sha256.Sum256([]byte(all))))
					if look.name == "dark" || look.ascii && size[0] == 80 {
						fmt.Fprintf(&out, "== %s %dx%d\n%s\n", look.name, size[0], size[1], trim(text(lines)))
					}
				}
			}
			fmt.Fprintf(&out, "== hashes\n%s\n", strings.Join(hashes, "\n"))
			golden.RequireEqual(t, out.Bytes())
		})
	}
}

func trim(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// sheetScenes are those on the contact sheets, in their order.
var sheetScenes = []string{"overview", "tasks", "task", "output", "nodes", "heat", "events", "new-task-filled", "palette", "help", "cancel", "why-waits", "admit", "invite", "welcome", "lost"}

// TestSheets keeps the pictures in docs/screens true: it fails when a screen on
// them has changed since they were made. With OCTASKLY_SHEETS set to a folder
// it writes the screens there for scripts/goldens to paint.
func TestSheets(t *testing.T) {
	dir := os.Getenv("OCTASKLY_SHEETS")
	var sums []string
	for _, size := range sizes {
		h := sha256.New()
		for n, name := range sheetScenes {
			for i, look := range looks {
				if i > 0 && n > 0 { // the other looks show the first screen only
					continue
				}
				var s sheet
				for _, x := range scenes {
					if x.name == name {
						s = x
					}
				}
				all := strings.Join(play(t, s, i).view(size[0], size[1]), "\n")
				fmt.Fprintln(h, all)
				if dir != "" {
					file := filepath.Join(dir, fmt.Sprintf("%dx%d-%02d-%s-%s.ansi", size[0], size[1], n, name, look.name))
					if err := os.WriteFile(file, []byte(all), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		sums = append(sums, fmt.Sprintf("%dx%d %x", size[0], size[1], h.Sum(nil)))
	}
	sort.Strings(sums)
	got := strings.Join(sums, "\n") + "\n"
	if dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "SUMS"), []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(filepath.Join("..", "docs", "screens", "SUMS"))
	if err != nil {
		t.Skip("there are no sheets: scripts/goldens makes them")
	}
	if string(want) != got {
		t.Error("the pictures in docs/screens show old screens; scripts/goldens makes new ones")
	}
}
