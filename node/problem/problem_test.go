package problem

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

func TestFind(t *testing.T) {
	up := func(change func(*control.Node)) control.Node {
		n := control.Node{ID: "m", Name: "mill", State: control.NodeUp, Load: task.Load{DiskFreeMB: 50_000}}
		change(&n)
		return n
	}
	for name, c := range map[string]struct {
		status control.Status
		node   control.Node
		want   string // level and id; empty is no problem
	}{
		"well":            {control.Status{Slots: 4, Ready: 100}, up(func(*control.Node) {}), ""},
		"nobody works":    {control.Status{Ready: 1}, up(func(*control.Node) {}), "error no-worker"},
		"nothing to do":   {control.Status{}, up(func(*control.Node) {}), ""},
		"full":            {control.Status{Slots: 1, Ready: 1000, QueueLimit: 1000}, up(func(*control.Node) {}), "error queue-full"},
		"nearly full":     {control.Status{Slots: 1, Ready: 900, QueueLimit: 1000}, up(func(*control.Node) {}), "warning queue-full"},
		"no limit":        {control.Status{Slots: 1, Ready: 1000}, up(func(*control.Node) {}), ""},
		"lost":            {control.Status{}, up(func(n *control.Node) { n.State = control.NodeLost }), "error node-lost/m"},
		"silent":          {control.Status{}, up(func(n *control.Node) { n.State = control.NodeStale }), "warning node-silent/m"},
		"away":            {control.Status{}, up(func(n *control.Node) { n.State, n.Skew = control.NodeAway, time.Hour }), ""},
		"drained":         {control.Status{}, up(func(n *control.Node) { n.State = control.NodeDrained }), ""},
		"asks":            {control.Status{}, up(func(n *control.Node) { n.State = control.NodeAsks }), "info node-asks/m"},
		"another cluster": {control.Status{}, up(func(n *control.Node) { n.State = control.NodeForeign }), ""},
		"clock ahead":     {control.Status{}, up(func(n *control.Node) { n.Skew = time.Hour }), "warning clock-wrong/m"},
		"clock behind":    {control.Status{}, up(func(n *control.Node) { n.Skew = -2 * time.Second }), "warning clock-wrong/m"},
		"clock well":      {control.Status{}, up(func(n *control.Node) { n.Skew = time.Second }), ""},
		"little disk":     {control.Status{}, up(func(n *control.Node) { n.Load.DiskFreeMB = 500 }), "warning disk-full/m"},
		"no disk":         {control.Status{}, up(func(n *control.Node) { n.Load.DiskFreeMB = 5 }), "error disk-full/m"},
		"disk not known":  {control.Status{}, up(func(n *control.Node) { n.Load.DiskFreeMB = 0 }), ""},
		"a remark":        {control.Status{}, up(func(n *control.Node) { n.Warnings = []string{"as root"} }), "info node-remark/as root"},
	} {
		all := Find(Picture{&c.status, []control.Node{c.node}})
		got := ""
		for _, p := range all {
			got += p.Level + " " + p.ID
			if p.Text == "" || c.node.Name != "" && len(p.Subjects) > 0 && !strings.Contains(p.Text, c.node.Name) {
				t.Errorf("%s: %+v", name, p)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestManyProblems: the worst are kept, the rest is counted, also when merged again.
func TestManyProblems(t *testing.T) {
	var nodes []control.Node
	for i := range 100 {
		nodes = append(nodes, control.Node{ID: task.NodeID(fmt.Sprint(i)), Name: fmt.Sprint("n", i), State: control.NodeStale, Warnings: []string{"old"}})
	}
	nodes[99].State = control.NodeLost
	all := Find(Picture{&control.Status{}, nodes})
	if len(all) != control.MaxProblems || all[0].ID != NodeLost+"/99" || all[len(all)-1].Count != 101-control.MaxProblems+1 {
		t.Errorf("%d, first %+v, last %+v", len(all), all[0], all[len(all)-1])
	}
	again := Merge(all, []control.Problem{all[0], {ID: "new", Level: control.LevelError}})
	if len(again) != control.MaxProblems || again[1].ID != "new" || again[len(again)-1].Count != 102-control.MaxProblems+1 {
		t.Errorf("%d, second %+v, last %+v", len(again), again[1], again[len(again)-1])
	}
	remark := Find(Picture{&control.Status{}, []control.Node{{Name: "a", Warnings: []string{"old"}}, {Name: "b", Warnings: []string{"old"}}}})
	if len(remark) != 1 || remark[0].Count != 2 || !slices.Equal(remark[0].Subjects, []string{"a", "b"}) || remark[0].Text != "a, b: old" {
		t.Errorf("%+v", remark)
	}
	if again[0].Level != control.LevelError {
		t.Errorf("the worst is not the first: %+v", again[0])
	}
}
