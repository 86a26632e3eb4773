package ui

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/node/demo"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// allKeys is every key of the table and what people type.
func allKeys(t testing.TB) []string {
	k, err := scene.NewKeys(nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var out []string
	add := func(s string) {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	for _, b := range k.All() {
		for _, key := range b.Keys {
			add(key)
		}
	}
	for _, s := range strings.Split("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!&|/:?=-. ", "") {
		add(s)
	}
	for _, s := range []string{"backspace", "delete", "enter", "esc", "ctrl+c", "é", "名"} {
		add(s)
	}
	return out
}

// leave presses what a person would to get out.
func (d *driver) leave() {
	for range 6 {
		if d.gone {
			return
		}
		d.keys("esc")
	}
	d.keys("q")
	if !d.gone {
		d.keys("y")
	}
}

// Any sequence of keys and sizes: nothing breaks, nothing overflows, and q
// still leaves.
func TestRandomKeys(t *testing.T) {
	keys := allKeys(t)
	runs := 40
	if testing.Short() {
		runs = 8
	}
	for seed := range runs {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		o := demo.Options{Nodes: 1 + r.IntN(60), Tasks: 1 + r.IntN(800), Seed: uint64(seed)}
		if seed%5 == 0 {
			o = demo.Options{Fresh: true}
		}
		look := looks[seed%len(looks)]
		d := drive(t, setup{demo: o, theme: look.theme, depth: look.depth, ascii: look.ascii})
		w, h := 80, 24
		var did []string
		for range 200 {
			if r.IntN(8) == 0 {
				w, h = r.IntN(230), r.IntN(70)
				d.m.Resize(w, h)
			}
			k := keys[r.IntN(len(keys))]
			did = append(did, k)
			d.clk = d.clk.Add(time.Duration(r.IntN(900)) * time.Millisecond)
			d.press(k)
			if r.IntN(10) == 0 {
				button := []tea.MouseButton{tea.MouseButtonLeft, tea.MouseButtonWheelUp, tea.MouseButtonWheelDown}[r.IntN(3)]
				d.m.Mouse(tea.MouseMsg{X: r.IntN(w + 1), Y: r.IntN(h + 1), Button: button, Action: tea.MouseActionPress}, d.clk)
				d.effects()
			}
			if r.IntN(3) == 0 {
				d.look()
			}
			if err := shape(d.m.View(), w, h); err != nil && w > 0 && h > 0 {
				t.Fatalf("seed %d, %dx%d, after %q: %v", seed, w, h, did, err)
			}
			d.gone = false
		}
		d.m.Resize(80, 24)
		d.leave()
		if !d.gone {
			t.Fatalf("seed %d: q does not leave after %q", seed, did)
		}
	}
}

// A second click on a row opens it; the click that only brought the window to
// the front does nothing.
func TestClicks(t *testing.T) {
	d := drive(t, setup{})
	d.m.Resize(80, 24)
	d.keys("2")
	d.m.View()
	d.keys("j", "j")
	d.m.View()
	click := func(after time.Duration) string {
		d.clk = d.clk.Add(after)
		d.m.Mouse(tea.MouseMsg{X: 30, Y: 8, Button: tea.MouseButtonLeft, Action: tea.MouseActionPress}, d.clk)
		d.look()
		return text(d.m.View())
	}
	if s := click(time.Second); cursorRow(s) != 8 {
		t.Errorf("a click chose no row:\n%s", s)
	}
	d.clk = d.clk.Add(10 * time.Second)
	d.m.Focused(d.clk)
	if s := click(50 * time.Millisecond); strings.Contains(s, "› task") {
		t.Errorf("the click to the front opened a task:\n%s", s)
	}
	d.keys("esc", "g")
	d.m.Focused(d.clk.Add(time.Second))
	was := text(d.m.View())
	if s := click(time.Second + 50*time.Millisecond); cursorRow(s) != cursorRow(was) {
		t.Errorf("the click to the front chose a row:\n%s", s)
	}
	click(time.Second)
	if s := click(100 * time.Millisecond); !strings.Contains(s, "› task") {
		t.Errorf("the second click opens nothing:\n%s", s)
	}
}

// cursorRow is the line of the screen that the cursor is on.
func cursorRow(s string) int {
	for i, ln := range strings.Split(s, "\n") {
		if strings.HasPrefix(ln, "┃>") {
			return i
		}
	}
	return -1
}

func TestEnterAloneNeverHarms(t *testing.T) {
	for _, start := range [][]string{{}, {"2"}, {"2", "x"}, {"2", "/", "type:state=running", "enter", "x"}, {"3", "j", "j", "x"}, {"3", "j", "j", "D"}, {"2", "a", "x"}, {"q"}, {"4"}} {
		d := drive(t, setup{demo: demo.Options{Nodes: 8, Tasks: 60}})
		d.keys(start...)
		for range 10 {
			d.keys("enter")
		}
		if d.ctl.harm.Load() > 0 {
			t.Errorf("after %q, enter did harm", start)
		}
	}
}

// What is highlighted is what happens, and a person who takes a moment can
// do what the dialog offers.
func TestCancelByDialog(t *testing.T) {
	d := drive(t, setup{demo: demo.Options{Nodes: 8, Tasks: 300}})
	d.keys("2", "/", "type:state=running", "enter", "j", "x", "y", "enter")
	if d.ctl.harm.Load() != 1 {
		t.Fatalf("y and enter did not cancel:\n%s", text(d.view(120, 35)))
	}
	d = drive(t, setup{demo: demo.Options{Nodes: 8, Tasks: 300}})
	d.keys("2", "/", "type:state=running", "enter", "j", "x", "tab", "enter")
	if d.ctl.harm.Load() != 1 {
		t.Fatal("the highlighted button did nothing")
	}
	d = drive(t, setup{demo: demo.Options{Nodes: 8, Tasks: 300}})
	d.keys("2", "/", "type:state=running", "enter", "j", "x", "esc", "y", "enter")
	if d.ctl.harm.Load() != 0 {
		t.Fatal("esc did not keep the task")
	}
}

// A dialog over a task that ends says so and has nothing left to cancel.
func TestCancelDialogFollowsTheFacts(t *testing.T) {
	d := drive(t, setup{demo: demo.Options{Nodes: 8, Tasks: 300}})
	d.keys("2", "/", "type:convert", "enter")
	for range 40 {
		if d.keys("x"); strings.Contains(text(d.view(80, 24)), "Cancel 1 task?") {
			break
		}
		d.keys("j")
	}
	for range 200 {
		d.pass(time.Second)
	}
	if s := text(d.view(80, 24)); strings.Contains(s, "Cancel 1 task?") {
		t.Errorf("the dialog is still there:\n%s", s)
	}
	if d.keys("y", "enter"); d.ctl.harm.Load() > 0 {
		t.Error("a task that had ended was cancelled")
	}
}

func TestRemoveNeedsTheName(t *testing.T) {
	d := drive(t, setup{})
	d.keys("3", "j", "j", "x", "type:mill-03", "enter")
	if d.ctl.harm.Load() != 0 {
		t.Fatal("another name removed the node")
	}
	for range len("mill-03") {
		d.keys("backspace")
	}
	d.keys("type:mill-02", "enter")
	if d.ctl.harm.Load() != 1 {
		t.Fatalf("its name did not remove it:\n%s", text(d.view(80, 24)))
	}
}

func TestPasteOutsideFieldsIsDropped(t *testing.T) {
	d := drive(t, setup{})
	d.keys("2")
	k := keyMsg("xyxyqy")
	k.Paste = true
	d.m.Key(k, d.clk)
	d.effects()
	if d.gone || d.ctl.harm.Load() > 0 {
		t.Fatal("pasted text acted")
	}
	if !strings.Contains(text(d.view(80, 24)), "pasted text was ignored") {
		t.Error("it does not say so")
	}
}

// Five keys from nothing to the output of a first task.
func TestFirstRunInFiveKeys(t *testing.T) {
	d := drive(t, setup{demo: fresh})
	if !strings.Contains(text(d.view(80, 24)), "Welcome") {
		t.Fatal("no welcome")
	}
	d.keys("p", "enter", "n", "enter", "pass:1s")
	if s := text(d.view(80, 24)); !strings.Contains(s, "hello from ana-laptop") {
		t.Errorf("no hello:\n%s", s)
	}
}

// n first: the form opens, and submitting offers to promote.
func TestSubmitWithoutDispatcherOffersToPromote(t *testing.T) {
	d := drive(t, setup{demo: fresh})
	d.keys("n", "enter")
	if s := text(d.view(80, 24)); !strings.Contains(s, "Make ana-laptop the dispatcher?") {
		t.Fatalf("no offer:\n%s", s)
	}
	d.keys("enter", "pass:1s")
	if s := text(d.view(80, 24)); !strings.Contains(s, "hello from ana-laptop") {
		t.Errorf("the task was forgotten:\n%s", s)
	}
}

func TestQuitAsksOnABusyNode(t *testing.T) {
	d := drive(t, setup{})
	d.keys("q")
	if d.gone {
		t.Fatal("it left without asking")
	}
	d.keys("enter") // stay
	if d.gone {
		t.Fatal("enter left")
	}
	d.keys("q", "y")
	if !d.gone || d.left != scene.KeepRunning {
		t.Fatal("y did not leave")
	}
	d = drive(t, setup{opt: scene.Options{Demo: true}})
	if d.keys("q"); !d.gone {
		t.Error("the demo asked")
	}
	d = drive(t, setup{})
	d.press("ctrl+c")
	if d.press("ctrl+c"); !d.gone {
		t.Error("twice ctrl+c did not leave")
	}
}

func TestReadOnly(t *testing.T) {
	d := drive(t, setup{opt: scene.Options{ReadOnly: true}})
	for _, k := range []string{"n", "i", "t", "D"} {
		d.keys("3", "j", "j", k)
		if s := text(d.view(80, 24)); !strings.Contains(s, "read-only") {
			t.Errorf("%s:\n%s", k, s)
		}
	}
}
