package ui

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/demo"
	"github.com/adauldev/octaskly/queue/task"
)

// troubled is a cluster that has something to tell.
type troubled struct {
	control.Control
	facts []control.Problem
	warn  string // of the first node
}

func (c troubled) Status(ctx context.Context) (control.Status, error) {
	s, err := c.Control.Status(ctx)
	s.Problems = c.facts
	return s, err
}

func (c troubled) Nodes(ctx context.Context) ([]control.Node, error) {
	list, err := c.Control.Nodes(ctx)
	if len(list) > 0 && c.warn != "" {
		list[0].Warnings = []string{c.warn}
	}
	return list, err
}

// What is wrong with the cluster stands on each page, and what is wrong with a
// node in its detail.
func TestTroubleIsOnTheScreen(t *testing.T) {
	for _, c := range []struct {
		name, want string
		troubled
	}{
		{"disk full", "submits are refused", troubled{facts: []control.Problem{{Level: "error", Text: "the disk is full: submits are refused", Cure: "free some space"}}}},
		{"two dispatchers", "two dispatchers", troubled{facts: []control.Problem{{Level: "error", Text: "two dispatchers: mill-01 and mill-02"}}}},
		{"clock", "clock is 4s ahead", troubled{warn: "clock is 4s ahead"}},
		{"version", "version 0.9.0", troubled{warn: "version 0.9.0, the dispatcher has 1.0.0"}},
	} {
		d := drive(t, setup{demo: demo.Options{Nodes: 4, Tasks: 50}})
		c.Control = d.ctl.Control
		d.ctl.Control = c.troubled
		for _, page := range []string{"1", "2", "3"} {
			if c.warn != "" && page == "2" {
				continue
			}
			d.keys(page)
			d.pass(6 * time.Second)
			if s := text(d.view(120, 35)); !strings.Contains(s, c.want) {
				t.Errorf("%s: page %s does not say %q:\n%s", c.name, page, c.want, s)
			}
		}
	}
}

// How alone a computer is, in words.
func TestNodesButNoDispatcher(t *testing.T) {
	d := drive(t, setup{demo: demo.Options{Nodes: 3, Tasks: 10}})
	d.ctl.Control = headless{d.ctl.Control}
	d.pass(6 * time.Second)
	for _, page := range []string{"1", "2", "3"} {
		d.keys(page)
		if s := text(d.view(80, 24)); !strings.Contains(s, "no dispatcher. p makes") && !strings.Contains(s, "no dispatcher.  p makes") {
			t.Errorf("page %s does not say it:\n%s", page, s)
		}
	}
}

// headless is a cluster without a dispatcher.
type headless struct{ control.Control }

func (c headless) Status(ctx context.Context) (control.Status, error) {
	s, err := c.Control.Status(ctx)
	s.Dispatcher, s.Cluster = "", "k3v9"
	return s, err
}

// A window of tasks that is not there yet is drawn as such.
func TestLoadingWindow(t *testing.T) {
	d := drive(t, setup{demo: demo.Options{Nodes: 4, Tasks: 500}})
	d.m.Resize(80, 24)
	d.keys("2")
	d.press("G") // nothing was fetched for it
	if s := text(d.m.View()); !strings.Contains(s, "…") || strings.Contains(s, "No tasks") {
		t.Errorf("\n%s", s)
	}
}

func TestTooSmall(t *testing.T) {
	d := drive(t, setup{demo: demo.Options{Nodes: 4, Tasks: 500}})
	for _, want := range []string{"mill-01", "DISPATCHER", "running", "queued", "slots", "46x9 of 60x15", "n new task", "q quit"} {
		if s := text(d.view(46, 9)); !strings.Contains(s, want) {
			t.Errorf("it does not say %q:\n%s", want, s)
		}
	}
	d.keys("n")
	if s := text(d.view(46, 9)); !strings.Contains(s, "Command") {
		t.Errorf("n opens no form:\n%s", s)
	}
	d.keys("esc")
	if d.leave(); !d.gone {
		t.Error("q does not leave")
	}
}

// An error that is longer than the line is whole among the events, and y
// copies it.
func TestLongErrors(t *testing.T) {
	d := drive(t, setup{demo: demo.Options{Nodes: 8, Tasks: 300}})
	why := "drain needs the role admin, which the certificate of this node does not have, and so on to the END"
	d.ctl.Control = refusing{d.ctl.Control, task.Errorf(task.KindNotAllowed, "%s", why)}
	d.keys("3", "j", "j", "D", "y", "enter")
	if s := text(d.view(80, 24)); !strings.Contains(s, "4 shows all of it") {
		t.Errorf("it does not say where the rest is:\n%s", s)
	}
	if d.keys("y"); !strings.HasSuffix(d.clip, "the END") {
		t.Errorf("y copied %q", d.clip)
	}
	d.keys("4", "/", "type:drain needs", "enter")
	if s := text(d.view(80, 24)); !strings.Contains(s, "drain: drain needs") {
		t.Errorf("it is not among the events:\n%s", s)
	}
	if d.keys("enter"); !strings.Contains(text(d.view(80, 24)), "the END") {
		t.Errorf("it is not whole:\n%s", text(d.view(80, 24)))
	}
}

// neighbours is a cluster on a network where others have clusters of their
// own, and with one member that runs another version.
type neighbours struct{ control.Control }

func (c neighbours) Nodes(ctx context.Context) ([]control.Node, error) {
	list, err := c.Control.Nodes(ctx)
	list = append([]control.Node{{ID: "x", Name: "aaa-other", State: control.NodeForeign, Doing: []string{"dispatcher"}}}, list...)
	for i := range list {
		if list[i].Name == "mill-02" {
			list[i].Version = "0.9.0"
		}
	}
	return list, err
}

func TestNeighbours(t *testing.T) {
	d := drive(t, setup{demo: demo.Options{Nodes: 4, Tasks: 50}})
	d.ctl.Control = neighbours{d.ctl.Control}
	d.pass(6 * time.Second)
	d.keys("3")
	s := text(d.view(120, 35))
	if !strings.Contains(s, "4 nodes:") {
		t.Errorf("it counts a node of another cluster:\n%s", s)
	}
	if strings.Index(s, "aaa-other") < strings.Index(s, "mill-03") {
		t.Errorf("the other cluster comes first:\n%s", s)
	}
	if !strings.Contains(s, "mill-02 ▴") || strings.Contains(s, "mill-03 ▴") {
		t.Errorf("the other version has no mark of its own:\n%s", s)
	}
	d.keys("j")
	if s := text(d.view(120, 35)); !strings.Contains(s, "runs octaskly 0.9.0") {
		t.Errorf("its detail does not say why:\n%s", s)
	}
}

// On the smallest screen with tables nothing that a newcomer has to read, or
// that counts, is cut.
func TestNothingIsCutAtTheSmallest(t *testing.T) {
	for i, look := range looks {
		for _, s := range scenes {
			if s.name != "welcome" && s.name != "overview" && s.name != "lost" {
				continue
			}
			d := play(t, s, i)
			lines := strings.Split(text(d.view(60, 15)), "\n")
			if s.name == "overview" {
				if !strings.Contains(lines[2], " lost") {
					t.Errorf("%s, %s: %q", s.name, look.name, lines[2])
				}
				continue
			}
			if s.name == "lost" {
				lines = lines[2:3]
			}
			for _, ln := range lines {
				if strings.HasSuffix(strings.TrimSpace(ln), "…") || strings.HasSuffix(strings.TrimSpace(ln), "~") {
					t.Errorf("%s, %s: %q", s.name, look.name, ln)
				}
			}
		}
	}
}
