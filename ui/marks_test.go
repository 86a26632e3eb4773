package ui

import (
	"strconv"
	"strings"
	"testing"

	"github.com/adauldev/octaskly/node/demo"
	"github.com/adauldev/octaskly/queue/task"
)

// All that a filter shows stays that: when the filter goes, the mark goes first.
func TestMarkOfAllEndsWithItsFilter(t *testing.T) {
	for _, change := range [][]string{{"esc", "esc"}, {"!"}, {"/", "type:make", "enter"}} {
		d := drive(t, setup{demo: demo.Options{Nodes: 4, Tasks: 40}})
		d.keys("2", "!", "a")
		if s := text(d.view(120, 35)); !strings.Contains(s, "marked") {
			t.Fatalf("nothing is marked:\n%s", s)
		}
		d.keys(change...)
		if s := text(d.view(120, 35)); strings.Contains(s, "marked.") {
			t.Errorf("after %q all of something else is marked:\n%s", change, s)
		}
	}
}

// The number to type before everything is cancelled counts what has not ended.
func TestCancelAllCountsWhatCanBeCancelled(t *testing.T) {
	d := drive(t, setup{demo: demo.Options{Nodes: 4, Tasks: 300}})
	d.keys("2", "a", "x")
	live := 0
	for _, state := range task.States() {
		if !state.Terminal() {
			live += d.col.status.Tasks[state]
		}
	}
	s := text(d.view(80, 24))
	if !strings.Contains(s, "Type "+strconv.Itoa(live)+" to cancel") {
		t.Errorf("%d tasks have not ended:\n%s", live, s)
	}
	d.keys("type:"+strconv.Itoa(live), "enter")
	if s := text(d.view(120, 35)); strings.Contains(s, "nothing to cancel") || !strings.Contains(s, "cancelled") && !strings.Contains(s, "asked to end") {
		t.Errorf("it does not say how many were cancelled:\n%s", s)
	}
}

// The palette runs what was typed. A likeness is offered only.
func TestPaletteRunsNoLikeness(t *testing.T) {
	for typed, runs := range map[string]bool{"refr": true, "drain": true, "ask": false, "wfl": false, "everyth": false} {
		d := drive(t, setup{demo: demo.Options{Nodes: 4, Tasks: 40}})
		d.keys("2", ":", "type:"+typed, "enter")
		s := text(d.view(80, 24))
		if offered := strings.Contains(s, "no command is called that"); offered == runs && !strings.Contains(s, "there is no such command") {
			t.Errorf("%q: offered %v:\n%s", typed, offered, s)
		}
	}
}
