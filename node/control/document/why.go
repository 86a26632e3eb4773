package document

import (
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// Why explains one task. Exactly one of Waits and Told is filled.
type Why struct {
	ID    task.ID  `json:"id"`
	State string   `json:"state"`
	Waits *Waits   `json:"waits"`
	Told  []string `json:"told"`
	Would *string  `json:"would"`
}

// Waits is why a task is not running yet.
type Waits struct {
	Ahead    int           `json:"ahead"`
	Until    *string       `json:"until"`
	Estimate *float64      `json:"estimate_s"`
	Nodes    []NodeVerdict `json:"nodes"`
}

// NodeVerdict is what one node says to one task.
type NodeVerdict struct {
	Node  string `json:"node"`
	Fits  bool   `json:"fits"`
	Now   bool   `json:"now"`
	Terms []Term `json:"terms"`
}

// Term is one requirement that a node does not meet.
type Term struct {
	Name string `json:"name"`
	Want string `json:"want"`
	Have string `json:"have"`
	Busy bool   `json:"busy"`
}

// WhyOf writes it as JSON has it.
func WhyOf(w *control.Why) Why {
	d := Why{ID: w.ID, State: w.State.String(), Told: w.Told, Would: orNull(w.Would)}
	if d.Told == nil {
		d.Told = []string{}
	}
	if w.Waits == nil {
		return d
	}
	d.Waits = &Waits{Ahead: w.Waits.Ahead, Until: text.Stamp(w.Waits.Until), Nodes: []NodeVerdict{}}
	if s := w.Waits.Estimate.Seconds(); s > 0 {
		d.Waits.Estimate = &s
	}
	for _, n := range w.Waits.Nodes {
		v := NodeVerdict{Node: n.Node, Fits: n.Fits, Now: n.Now, Terms: []Term{}}
		for _, t := range n.Terms {
			v.Terms = append(v.Terms, Term(t))
		}
		d.Waits.Nodes = append(d.Waits.Nodes, v)
	}
	return d
}
