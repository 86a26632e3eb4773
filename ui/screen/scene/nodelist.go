package scene

import (
	"cmp"
	"slices"
	"strings"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// NodeList is the list of nodes and the heat map over the same nodes.
type NodeList struct {
	Cursor   task.NodeID
	Top      int
	Height   int
	Version  string // the dispatcher's, when last drawn
	Sort     int
	Reverse  bool
	Filter   string
	Problems bool
	Marks    map[task.NodeID]bool

	Heat    bool
	Metric  int
	Group   int
	Columns int // cells in a row of the heat map when last drawn

	seen   nodesKey
	sorted []*control.Node
}

// nodesKey is what the sorted nodes were made from.
type nodesKey struct {
	snapshot *Snapshot
	sort     int
	reverse  bool
	filter   string
	problems bool
}

// NodeSorts are the orders of the nodes.
var NodeSorts = []string{"name", "load", "slots", "state"}

// Metrics are what the heat map can show.
var Metrics = []string{"cpu", "mem", "slots", "failures"}

// Shown is the nodes that pass the filter, in order.
func (l *NodeList) Shown(s *Snapshot) []*control.Node {
	key := nodesKey{s, l.Sort, l.Reverse, l.Filter, l.Problems}
	if key == l.seen && l.sorted != nil {
		return l.sorted
	}
	l.seen, l.sorted = key, l.sorted[:0]
	want := strings.ToLower(l.Filter)
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if l.Problems && n.State == control.NodeUp && len(n.Warnings) == 0 || want != "" && !nodeMatches(n, want) {
			continue
		}
		l.sorted = append(l.sorted, n)
	}
	slices.SortStableFunc(l.sorted, func(a, b *control.Node) int {
		if c := cmp.Compare(standing(a), standing(b)); c != 0 {
			return c
		}
		c := l.compare(a, b)
		if l.Reverse {
			c = -c
		}
		return c
	})
	return l.sorted
}

// standing puts members before those who ask, and those before the members of
// other clusters, whatever the order.
func standing(n *control.Node) int {
	switch n.State {
	case control.NodeAsks:
		return 1
	case control.NodeForeign:
		return 2
	}
	return 0
}

func nodeMatches(n *control.Node, want string) bool {
	if k, v, ok := strings.Cut(want, "="); ok {
		if k == "state" {
			return string(n.State) == v
		}
		return strings.ToLower(n.Capacity.Labels[k]) == v
	}
	return strings.Contains(strings.ToLower(n.Name), want) || string(n.State) == want || strings.Contains(n.Addr, want)
}

func (l *NodeList) compare(a, b *control.Node) int {
	switch NodeSorts[l.Sort] {
	case "load":
		// In steps, so that rows do not dance with every sample.
		return cmp.Compare(int(b.Load.CPUPercent)/10, int(a.Load.CPUPercent)/10)
	case "slots":
		return cmp.Compare(b.Used.Tasks, a.Used.Tasks)
	case "state":
		return cmp.Compare(a.State, b.State)
	}
	return cmp.Compare(a.Name, b.Name)
}

// Index is where the cursor is in the shown nodes.
func (l *NodeList) Index(list []*control.Node) int {
	for i, n := range list {
		if n.ID == l.Cursor {
			return i
		}
	}
	return 0
}

// Move goes n nodes down, or up when n is negative.
func (l *NodeList) Move(view *Scene, n int) {
	list := l.Shown(view.Facts())
	if len(list) == 0 {
		return
	}
	i := min(max(0, l.Index(list)+n), len(list)-1)
	l.Cursor = list[i].ID
}

// Back clears the filter, then the marks; false if there was neither.
func (l *NodeList) Back() bool {
	switch {
	case l.Filter != "" || l.Problems:
		l.Filter, l.Problems = "", false
	case len(l.Marks) > 0:
		clear(l.Marks)
	default:
		return false
	}
	return true
}
