package main

import (
	"os"
	"regexp"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
)

// TestStatesAreDrawn compares the picture of a task's life with the table that
// the queue obeys.
func TestStatesAreDrawn(t *testing.T) {
	text, err := os.ReadFile("docs/states.md")
	if err != nil {
		t.Fatal(err)
	}
	type step struct{ from, to string }
	drawn := map[step]bool{}
	for _, m := range regexp.MustCompile(`(?m)^ +(\S+) --> (\S+)`).FindAllStringSubmatch(string(text), -1) {
		drawn[step{m[1], m[2]}] = true
	}
	const outside = "[*]" // not submitted yet, or over
	for _, from := range append([]task.State{0}, task.States()...) {
		for _, to := range task.States() {
			s := step{from.String(), to.String()}
			if from == 0 {
				s.from = outside
			}
			if from.MayBecome(to) != drawn[s] {
				t.Errorf("%s to %s: the table says %v, docs/states.md %v", s.from, s.to, from.MayBecome(to), drawn[s])
			}
			delete(drawn, s)
		}
		if from.Terminal() != drawn[step{from.String(), outside}] {
			t.Errorf("%s is an end: the table says %v, docs/states.md not", from, from.Terminal())
		}
		delete(drawn, step{from.String(), outside})
	}
	for s := range drawn {
		t.Errorf("docs/states.md draws %s to %s, which are no states", s.from, s.to)
	}
}
