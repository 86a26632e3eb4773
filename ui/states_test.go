package ui

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/demo"
)

// troubled is a cluster that has something to tell.
type troubled struct {
	control.Control
	facts []control.Fact
	warn  string // of the first node
}

func (c troubled) Status(ctx context.Context) (control.Status, error) {
	s, err := c.Control.Status(ctx)
	s.Facts = c.facts
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
		{"disk full", "submits are refused", troubled{facts: []control.Fact{{Level: "error", Text: "the disk is full: submits are refused", Cure: "free some space"}}}},
		{"two dispatchers", "two dispatchers", troubled{facts: []control.Fact{{Level: "error", Text: "two dispatchers: mill-01 and mill-02"}}}},
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

func TestPace(t *testing.T) {
	p := &pump{}
	now := time.Now()
	p.used.Store(now.UnixMilli())
	if got := p.pace(now.Add(time.Second)); got != rest {
		t.Errorf("after a key: %v", got)
	}
	p.slow.Store(true)
	if got := p.pace(now.Add(time.Second)); got != quietly {
		t.Errorf("behind another window: %v", got)
	}
	if got := p.pace(now.Add(aWhile + time.Second)); got != alone {
		t.Errorf("where nobody is: %v", got)
	}
}
