package ui

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/demo"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// heard keeps what a pump sends.
type heard struct {
	mu    sync.Mutex
	snaps []*scene.Snapshot
	logs  []logMsg
}

func (h *heard) take(m any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch v := m.(type) {
	case snapshotMsg:
		h.snaps = append(h.snaps, v.s)
	case logMsg:
		h.logs = append(h.logs, v)
	}
}

func (h *heard) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.snaps)
}

func (h *heard) last() *scene.Snapshot {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.snaps[len(h.snaps)-1]
}

// The pump sends at most a handful of snapshots a second however much
// happens, one at once when something else is wanted, and ends with its context.
func TestPump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		h := &heard{}
		p := newPump(demo.New(demo.Options{Seed: 7, Nodes: 40, Tasks: 500}), nil, h.take)
		done := make(chan struct{})
		go func() { p.run(ctx); close(done) }()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := h.count(); n < 8 || n > 45 {
			t.Errorf("%d snapshots in ten seconds", n)
		}
		if s := h.last(); s.Link.State != scene.Live || len(s.Nodes) != 40 || len(s.Events) == 0 {
			t.Errorf("the snapshot is poor: %+v", s.Link)
		}
		before := h.count()
		p.ask(scene.Want{Tasks: scene.TaskWant{Below: 20}, Task: 3, Output: 3})
		synctest.Wait()
		if s := h.last(); h.count() == before || len(s.Rows.Tasks) != 20 || s.Task == nil || s.Task.ID != 3 {
			t.Error("a new want was not answered at once")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if id, buf := p.tail.shown(); id != 3 || buf.Stats().Lines == 0 {
			t.Errorf("no output of task 3: %d, %+v", id, buf.Stats())
		}
		stop()
		<-done
	})
}

// A cluster that falls silent: first a moment's wait, then gone, then back.
func TestLinkStates(t *testing.T) {
	d := drive(t, setup{})
	link := func() scene.LinkState { return d.col.Collect(t.Context(), d.m.Want()).Link.State }
	if link() != scene.Live {
		t.Fatal("not live")
	}
	d.ctl.fail.Store(true)
	for i, want := range []scene.LinkState{scene.Waiting, scene.Waiting, scene.Gone, scene.Gone, scene.Gone} {
		if got := link(); got != want {
			t.Errorf("after %d s: %d, want %d", i, got, want)
		}
		d.clk = d.clk.Add(time.Second)
	}
	d.ctl.fail.Store(false)
	if link() != scene.Live {
		t.Error("it did not come back")
	}
}

// Rows around an anchor are in order, hold the anchor, and know how many are
// before them.
func TestWindow(t *testing.T) {
	d := drive(t, setup{demo: demo.Options{Nodes: 8, Tasks: 500}})
	for _, oldest := range []bool{false, true} {
		for _, w := range []scene.TaskWant{{Below: 10}, {Anchor: 250, Above: 5, Below: 5}, {Anchor: 499, Above: 5, Below: 5}, {Anchor: 1, Above: 5, Below: 5}, {End: true, Above: 7}} {
			w.Query.Oldest = oldest
			r := d.col.window(t.Context(), w)
			if r.Err != "" || len(r.Tasks) == 0 {
				t.Fatalf("%+v: %+v", w, r)
			}
			found := w.Anchor == 0
			for i := range r.Tasks {
				found = found || r.Tasks[i].ID == w.Anchor
				if i > 0 && (r.Tasks[i].ID < r.Tasks[i-1].ID) == oldest {
					t.Errorf("%+v: not in order at %d", w, i)
				}
			}
			if !found {
				t.Errorf("%+v: the anchor is missing", w)
			}
			want := r.Total - int(r.Tasks[0].ID)
			if oldest {
				want = int(r.Tasks[0].ID) - 1
			}
			if r.First != want {
				t.Errorf("%+v: %d before it, want %d", w, r.First, want)
			}
		}
	}
}

// While the cursor is not on the first row, new tasks never move it.
func TestRowsStayUnderTheCursor(t *testing.T) {
	d := drive(t, setup{demo: demo.Options{Nodes: 8, Tasks: 500}})
	d.m.Resize(80, 24)
	d.keys("2", "j", "j", "j", "j")
	row := func() (int, string) {
		for i, ln := range strings.Split(text(d.m.View()), "\n") {
			if strings.HasPrefix(ln, "┃>") {
				return i, strings.Fields(ln)[1]
			}
		}
		return -1, ""
	}
	at, id := row()
	for range 20 {
		d.pass(time.Second)
	}
	if at2, id2 := row(); at2 != at || id2 != id {
		t.Errorf("task %s on line %d became %s on line %d", id, at, id2, at2)
	}
}

func TestSubmitFromFile(t *testing.T) {
	path := t.TempDir() + "/tasks.txt"
	if err := os.WriteFile(path, []byte(strings.Repeat("echo hi\n", 30)), 0o600); err != nil {
		t.Fatal(err)
	}
	d := drive(t, setup{})
	d.keys(":", "type:from "+path, "enter")
	if s := text(d.view(80, 24)); !strings.Contains(s, "30 tasks queued") {
		t.Errorf("%s", s)
	}
	d.keys(":", "type:from /nowhere/at/all", "enter")
	if s := text(d.view(120, 24)); !strings.Contains(s, "no such file") {
		t.Errorf("%s", s)
	}
}

func TestWriteAll(t *testing.T) {
	dir := t.TempDir()
	d := drive(t, setup{demo: demo.Options{Nodes: 8, Tasks: 500}})
	a, err := writeAll(t.Context(), d.ctl, 3, dir)
	if err != nil {
		t.Fatal(err)
	}
	b, err := writeAll(t.Context(), d.ctl, 3, dir)
	if err != nil || a == b {
		t.Fatalf("the second went to %s: %v", b, err)
	}
	if got, _ := os.ReadFile(a); len(got) == 0 {
		t.Error("the file is empty")
	}
}

func TestClipboard(t *testing.T) {
	var out strings.Builder
	env := map[string]string{"TERM": "xterm-256color"}
	c := clipboard{out: &out, env: func(k string) string { return env[k] }, dir: t.TempDir()}
	if m, _ := c.copy(scene.Copy{Text: "hi", What: "it"}).(sayMsg); !strings.Contains(m.text, "through the terminal") || !strings.Contains(out.String(), "]52;c;aGk=") {
		t.Errorf("%v %q", m, out.String())
	}
	env["TERM"] = "linux"
	if m, _ := c.copy(scene.Copy{Text: "hi", What: "it"}).(sayMsg); !strings.Contains(m.text, "written to") {
		t.Errorf("%v", m)
	}
	env["TERM"] = "xterm"
	if m, _ := c.copy(scene.Copy{Text: strings.Repeat("x", maxOSC52+1), What: "much"}).(sayMsg); !strings.Contains(m.text, "written to") {
		t.Errorf("%v", m)
	}
}

// The command that Y copies, for each screen and dialog.
func TestCopyAsCommand(t *testing.T) {
	for want, keys := range map[string][]string{
		"octaskly nodes": {"3", "Y"}, "octaskly events -f": {"4", "Y"}, "octaskly ps": {"2", "Y"},
		"octaskly show 10001": {"2", "enter", "tab", "Y"}, "octaskly logs -f 10001": {"2", "enter", "L", "Y"}, "octaskly why 10001": {"2", "w", "Y"},
		"octaskly cancel 10001": {"2", "/", "type:state=running", "enter", "x", "Y"},
		"octaskly cancel --state queued,assigned,running,retry --match ffmpeg": {"2", "/", "type:ffmpeg", "enter", "a", "x", "ctrl+y"},
		"octaskly ps --state running":                                          {"1", "tab", "tab", "Y"},
		"octaskly nodes show mill-02":                                          {"3", "j", "j", "enter", "Y"}, "octaskly nodes remove mill-02": {"3", "j", "j", "x", "ctrl+y"},
		"octaskly nodes admit CODE":                 {"t", "ctrl+y"},
		"octaskly ps --state failed --match ffmpeg": {"2", "/", "type:state=failed ffmpeg", "enter", "Y"},
		"octaskly drain mill-02":                    {"3", "j", "j", "D", "Y"},
		"octaskly invite":                           {"i", "Y"},
		"octaskly submit --retries 3 'make test'":   {"n", "type:make test", "tab", "tab", "tab", "tab", "backspace", "type:3", "ctrl+y"},
	} {
		d := drive(t, setup{})
		d.m.Resize(120, 35) // room for all panes
		d.look()
		if d.keys(keys...); d.clip != want {
			t.Errorf("%q copies %q, want %q", keys, d.clip, want)
		}
	}
}

func TestThemeDialog(t *testing.T) {
	d := drive(t, setup{opt: scene.Options{Themes: theme.Names()[1:]}})
	d.keys("T", "j")
	name := d.m.Styles().Theme.Name
	if name == "dark" {
		t.Fatal("moving shows nothing")
	}
	if d.keys("esc"); d.m.Styles().Theme.Name != "dark" {
		t.Error("esc kept it")
	}
	if d.keys("T", "j", "enter"); d.m.Styles().Theme.Name != name {
		t.Error("enter lost it")
	}
}

var _ control.Control = (*watched)(nil)

var _ = task.ID(0)
