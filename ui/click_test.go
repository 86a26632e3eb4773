package ui

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"
)

// clickOn clicks on some text of the screen, a while later.
func (d *driver) clickOn(after time.Duration, what string) {
	d.t.Helper()
	d.clk = d.clk.Add(after)
	for y, line := range strings.Split(text(d.m.View()), "\n") {
		if i := strings.Index(line, what); i >= 0 {
			x := utf8.RuneCountInString(line[:i]) + 2
			d.m.Mouse(tea.MouseMsg{X: x, Y: y, Button: tea.MouseButtonLeft, Action: tea.MouseActionPress}, d.clk)
			d.effects()
			return
		}
	}
	d.t.Fatalf("%q is not on the screen:\n%s", what, text(d.m.View()))
}

// A click on a button presses it; one that does harm is marked by the first
// click and pressed by the second. A click beside them does nothing.
func TestClicksOnButtons(t *testing.T) {
	for _, size := range [][2]int{{60, 15}, {80, 24}, {120, 35}, {200, 50}} {
		open := func() *driver {
			d := drive(t, setup{})
			d.m.Resize(size[0], size[1])
			return d.keys("2", "/", "type:state=running", "enter", "x")
		}
		d := open()
		d.clickOn(time.Second, "Cancel 1 task")
		d.clickOn(time.Second, "[ Keep running ]")
		if strings.Contains(text(d.m.View()), "Keep running") || d.ctl.harm.Load() != 0 {
			t.Errorf("%v: the click on keep: %s", size, text(d.m.View()))
		}
		d = open()
		d.clickOn(time.Second, "[ y  Cancel ]")
		if d.ctl.harm.Load() != 0 {
			t.Errorf("%v: one click did harm", size)
		}
		d.clickOn(time.Second, "[ y  Cancel ]")
		if d.ctl.harm.Load() != 1 {
			t.Errorf("%v: two clicks did nothing: %s", size, text(d.m.View()))
		}
	}
	d := drive(t, setup{demo: fresh})
	d.m.Offered(d.offer(), d.clk)
	d.clickOn(time.Second, "[ y  Let it join ]") // meant for what was there before
	d.clickOn(time.Second, "[ y  Let it join ]")
	if len(d.ctl.said) != 0 {
		t.Error("a stray click answered")
	}
	d.clickOn(2*time.Second, "[ y  Let it join ]")
	d.clickOn(2*time.Second, "[ y  Let it join ]")
	if len(d.ctl.said) != 1 || !d.ctl.said[0] {
		t.Errorf("answers %v", d.ctl.said)
	}
}
