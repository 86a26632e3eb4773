package ui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/control"
)

// offer is a cluster that wants the driver's node now.
func (d *driver) offer() control.Offer {
	return control.Offer{ID: 3, By: "mill-01", Cluster: "7xkq2mfa9d", Addr: "192.168.1.12:7878", Until: d.clk.Add(2 * time.Minute).UnixMilli()}
}

// Only y and then enter, pressed after a calm moment, let this node join. A key
// that was typed for something else when the question came up does nothing.
func TestOfferTakesNoStrayKey(t *testing.T) {
	for _, c := range []struct {
		keys string
		want string // answers
	}{
		{"pass:2s y pass:1s enter", "[true]"},
		{"pass:2s enter", "[false]"},
		{"pass:2s esc", "[false]"},
		{"pass:2s q", "[false]"},
		{"pass:2s tab pass:1s enter", "[true]"},
		{"pass:2s y", "[]"},
		{"enter", "[]"},                               // at once
		{"y enter", "[]"},                             // at once
		{"j j j j y enter enter y enter esc q", "[]"}, // each half a second after the one before
		{"pass:500ms y enter pass:500ms y enter", "[]"},
		{"j pass:2s y pass:1s enter", "[true]"},
		{"pass:2s n p t 2", "[]"}, // they mean nothing here
		{"pass:2s y esc", "[false]"},
	} {
		d := drive(t, setup{demo: fresh})
		d.m.Offered(d.offer(), d.clk)
		d.keys(strings.Fields(c.keys)...)
		if got := fmt.Sprint(d.ctl.said); got != c.want {
			t.Errorf("%s: answers %s, want %s\n%s", c.keys, got, c.want, text(d.m.View()))
		}
	}
}

// The question waits while something else takes keys, and is announced.
func TestOfferWaits(t *testing.T) {
	for _, key := range []string{"n", "?", ":", "j", "T"} {
		d := drive(t, setup{demo: fresh})
		d.keys(key)
		d.m.Offered(d.offer(), d.clk)
		d.look()
		before := text(d.view(80, 24))
		if strings.Contains(before, "Let it join") || !strings.Contains(before, "mill-01 wants to run commands here: close this") {
			t.Errorf("%s: %s", key, before)
		}
		d.keys("esc")
		if s := text(d.view(80, 24)); !strings.Contains(s, "Let it join") {
			t.Errorf("%s, closed: %s", key, s)
		}
		d.keys("enter", "pass:2s", "y", "pass:1s", "enter")
		if got := fmt.Sprint(d.ctl.said); got != "[true]" {
			t.Errorf("%s: answers %s", key, got)
		}
	}
}

// A question that is over leaves the screen and says how.
func TestOfferEnds(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		words string
	}{{5 * time.Second, "gave up"}, {2 * time.Minute, "nobody answered mill-01"}} {
		d := drive(t, setup{demo: fresh})
		d.m.Offered(d.offer(), d.clk)
		d.pass(c.after)
		d.m.Offered(control.Offer{}, d.clk)
		if s := text(d.view(80, 24)); strings.Contains(s, "Let it join") || !strings.Contains(s, c.words) {
			t.Errorf("after %s: %s", c.after, s)
		}
	}
	d := drive(t, setup{demo: fresh})
	d.m.Offered(d.offer(), d.clk)
	d.keys("pass:2s", "esc")
	d.m.Offered(control.Offer{}, d.clk)
	if s := text(d.view(80, 24)); !strings.Contains(s, "this node does not join; mill-01 is told so") {
		t.Error(s)
	}
}
