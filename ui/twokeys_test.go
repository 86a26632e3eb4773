package ui

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/demo"
	"github.com/adauldev/octaskly/queue/task/testlength"
	"github.com/adauldev/octaskly/ui/screen"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// harms reports a call that ends or takes away something among what the
// screen wants done. Whatever else it wants is done.
func (d *driver) harms() bool {
	for _, e := range d.m.TakeEffects() {
		switch v := e.(type) {
		case scene.Call:
			if v.Harm {
				return true
			}
			r, err := v.Do(context.Background(), d.ctl)
			v.Then(r, err)
		case scene.Quit:
			if v.How != scene.KeepRunning {
				return true
			}
		}
	}
	return d.ctl.harm.Load() > 0
}

// places are where two keys are tried; on those with a task it runs.
var places = map[string][]string{
	"overview":      {},
	"running":       {"tab", "tab"},
	"tasks":         {"2", "/", "type:state=running", "enter"},
	"marked":        {"2", "/", "type:state=running", "enter", "space", "space"},
	"all":           {"2", "/", "type:state=running", "enter", "a"},
	"task":          {"2", "/", "type:state=running", "enter", "enter"},
	"output":        {"2", "/", "type:state=running", "enter", "L"},
	"nodes":         {"3", "j", "j"},
	"node":          {"3", "j", "j", "enter"},
	"heat":          {"3", "h", "l"},
	"events":        {"4"},
	"palette":       {"2", ":"},
	"lost":          {"2"},
	"before-filter": {"2", "/"},
}

// No sequence of two keys reaches a call that ends or takes away something,
// whatever is on the screen and however long one waits between them.
func TestTwoKeysNeverHarm(t *testing.T) {
	keys := allKeys(t)
	// What may act in a dialog or a field first, then a few that may not.
	acting := []string{"enter", "y", "K", "space", "x", "c", "D", "q", "ctrl+c"}
	more := append(acting, "Y", "esc", "tab", "shift+tab", "left", "right", "up", "down", "j", "k", "1", "3", "a", "p", "d", "ctrl+y", "ctrl+o")
	second := testlength.Of(acting, more, keys)
	for name, start := range places {
		t.Run(name, func(t *testing.T) {
			begin := func() *driver {
				d := drive(t, setup{demo: demo.Options{Nodes: 4, Tasks: 60}})
				d.m.Resize(120, 35)
				d.keys(start...)
				if name == "lost" {
					d.ctl.fail.Store(true)
					for range 5 {
						d.pass(time.Second)
					}
				}
				return d
			}
			world := begin()
			for _, a := range keys {
				first := world.again(t, start)
				first.press1(a)
				if first.harms() {
					t.Fatalf("%q alone did harm", a)
				}
				first.look()
				seen := first.col.last
				for _, b := range second {
					d := world.again(t, start)
					d.press1(a)
					if d.harms() {
						t.Fatalf("%q alone did harm", a)
					}
					d.m.See(&seen)
					d.clk = d.clk.Add(time.Hour)
					if d.press1(b); d.harms() {
						t.Fatalf("%q then %q did harm", a, b)
					}
				}
			}
		})
	}
}

// again is the same place on a new screen.
func (d *driver) again(t *testing.T, start []string) *driver {
	k, err := scene.NewKeys(nil)
	if err != nil {
		t.Fatal(err)
	}
	n := &driver{t: t, clk: d.clk, ctl: d.ctl, col: d.col, logs: d.logs, seen: d.seen}
	n.m = screen.New(d.m.Styles(), k, scene.Options{})
	n.m.Resize(120, 35)
	s := d.col.last
	n.m.See(&s)
	for _, key := range start {
		letters := []string{key}
		if text, ok := strings.CutPrefix(key, "type:"); ok {
			letters = strings.Split(text, "")
		}
		for _, l := range letters {
			n.press1(l)
		}
		n.m.See(&s)
	}
	n.m.TakeEffects()
	return n
}

// press1 is a key without what follows from it.
func (d *driver) press1(k string) { d.m.Key(keyMsg(k), d.clk) }

// The places above are what they are named for: a running task is under the
// cursor where there are tasks, and three keys do cancel it.
func TestThreeKeysCancel(t *testing.T) {
	for _, name := range []string{"running", "tasks", "marked", "task", "output"} {
		world := drive(t, setup{demo: demo.Options{Nodes: 4, Tasks: 60}})
		world.m.Resize(120, 35)
		world.keys(places[name]...)
		d := world.again(t, places[name])
		d.press1("x")
		if s := text(d.m.View()); !strings.Contains(s, "Cancel ") {
			t.Fatalf("%s: x asks nothing:\n%s", name, s)
		}
		d.clk = d.clk.Add(time.Second)
		d.press1("y")
		if d.press1("y"); d.harms() {
			t.Errorf("%s: y twice did harm", name)
		}
		if d.press1("enter"); !d.harms() {
			t.Errorf("%s: x, y and enter did nothing:\n%s", name, text(d.m.View()))
		}
	}
}
