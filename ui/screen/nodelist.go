package screen

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// nodeList is the list of nodes and the heat map over the same nodes.
type nodeList struct {
	cursor   task.NodeID
	top      int
	height   int
	version  string // the dispatcher's, when last drawn
	sort     int
	reverse  bool
	filter   string
	problems bool
	marks    map[task.NodeID]bool

	heat    bool
	metric  int
	group   int
	columns int // cells in a row of the heat map when last drawn

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

var nodeSorts = []string{"name", "load", "slots", "state"}

var metrics = []string{"cpu", "mem", "slots", "failures"}

func (l *nodeList) init() { l.marks = map[task.NodeID]bool{} }

// shown is the nodes that pass the filter, in order.
func (l *nodeList) shown(s *Snapshot) []*control.Node {
	key := nodesKey{s, l.sort, l.reverse, l.filter, l.problems}
	if key == l.seen && l.sorted != nil {
		return l.sorted
	}
	l.seen, l.sorted = key, l.sorted[:0]
	want := strings.ToLower(l.filter)
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if l.problems && n.State == control.NodeUp && len(n.Warnings) == 0 || want != "" && !nodeMatches(n, want) {
			continue
		}
		l.sorted = append(l.sorted, n)
	}
	slices.SortStableFunc(l.sorted, func(a, b *control.Node) int {
		if c := cmp.Compare(standing(a), standing(b)); c != 0 {
			return c
		}
		c := l.compare(a, b)
		if l.reverse {
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

func (l *nodeList) compare(a, b *control.Node) int {
	switch nodeSorts[l.sort] {
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

// index is where the cursor is in the shown nodes.
func (l *nodeList) index(list []*control.Node) int {
	for i, n := range list {
		if n.ID == l.cursor {
			return i
		}
	}
	return 0
}

// node is the one under the cursor.
func (m *Model) node() *control.Node {
	list := m.nodes.shown(m.view())
	if len(list) == 0 {
		return nil
	}
	return list[m.nodes.index(list)]
}

func (l *nodeList) move(m *Model, n int) {
	list := l.shown(m.view())
	if len(list) == 0 {
		return
	}
	i := min(max(0, l.index(list)+n), len(list)-1)
	l.cursor = list[i].ID
}

func (l *nodeList) act(m *Model, action string) {
	row, page := 1, max(1, l.height/2)
	if m.focus == HeatPane {
		row = max(1, l.columns)
		page *= row
	}
	switch action {
	case "down":
		l.move(m, row)
	case "up":
		l.move(m, -row)
	case "page.down":
		l.move(m, page)
	case "page.up":
		l.move(m, -page)
	case "left":
		l.move(m, -1)
	case "right":
		l.move(m, 1)
	case "first":
		l.move(m, -1<<20)
	case "last":
		l.move(m, 1<<20)
	case "open":
		if m.node() != nil {
			m.push(DeepNode)
		}
	case "mark":
		if n := m.node(); n != nil {
			if l.marks[n.ID] {
				delete(l.marks, n.ID)
			} else {
				l.marks[n.ID] = true
			}
			l.move(m, 1)
		}
	case "problems":
		l.problems = !l.problems
	case "sort":
		l.sort = (l.sort + 1) % len(nodeSorts)
	case "sort.reverse":
		l.reverse = !l.reverse
	}
}

func (l *nodeList) back() bool {
	switch {
	case l.filter != "" || l.problems:
		l.filter, l.problems = "", false
	case len(l.marks) > 0:
		clear(l.marks)
	default:
		return false
	}
	return true
}

func (l *nodeList) click(m *Model, row int) {
	list := l.shown(m.view())
	if i := l.top + row; i < len(list) {
		l.cursor = list[i].ID
	}
}

// nodeColumns are the columns of the list in w cells.
func nodeColumns(s *theme.Styles, w int) ([]part.Column, int) {
	bar := 10
	switch {
	case w >= 110:
		bar = 14
	case w < 76:
		bar = 5
	}
	state := 10
	if s.Glyphs.ASCII {
		state = 12
	}
	return []part.Column{
		{Title: "NAME", Width: 10, Flex: true},
		{Title: "ROLE", Width: 10, Drop: 2},
		{Title: "STATE", Width: state},
		{Title: "CPU", Width: bar + 5},
		{Title: "MEM", Width: bar + 5, Drop: 1},
		{Title: "SLOTS", Width: 7, Right: true},
		{Title: "RTT", Width: 5, Right: true, Drop: 4},
		{Title: "SEEN", Width: 4, Right: true, Drop: 3},
	}, bar
}

func (m *Model) drawNodes(w, h int, focus bool) []string {
	l, s := &m.nodes, m.view()
	iw, ih := part.Inner(w, h)
	l.height = max(0, ih-1)
	l.version = s.version()
	list := l.shown(s)
	i := l.index(list)
	l.top = min(max(l.top, i-l.height+1), i)
	l.top = max(0, min(l.top, len(list)-l.height))
	cols, bar := nodeColumns(m.s, iw)
	room := iw - 3 // beside the cursor
	if iw >= 76 {
		room-- // air at the end
	}
	ws := part.FitColumns(cols, room, 2)
	ws[0] = min(ws[0], 28)
	lines := []string{part.Header(part.NewLine(m.s, iw).Sp(3), cols, ws, 2).String()}
	for j := l.top; j < len(list) && len(lines) < ih; j++ {
		lines = append(lines, m.nodeRow(list[j], ws, bar, iw, j == i, focus))
	}
	if len(list) == 0 {
		text := "No nodes yet. Start octaskly on another machine."
		if l.filter != "" || l.problems {
			text = "0 of " + part.Plural(len(s.Nodes), "node") + " match. esc clears the filter."
		}
		lines = append(lines, "", part.NewLine(m.s, iw).Sp(3).T(theme.Muted, text).String())
		lines[1] = part.NewLine(m.s, iw).String()
	}
	title := "Nodes"
	if l.filter != "" {
		title = "Nodes / " + l.filter
	}
	sort := "sort: " + nodeSorts[l.sort]
	if l.problems {
		sort = "only problems  " + sort
	}
	return part.Box{
		Title: title, Remark: sort, Focus: focus,
		Scroll: part.Scroll{First: l.top, Shown: l.height, Total: len(list)},
	}.Draw(m.s, w, h, lines)
}

func (m *Model) nodeRow(n *control.Node, ws []int, bar, w int, cursor, focus bool) string {
	l := part.NewLine(m.s, w)
	m.gutter(l, cursor, m.nodes.marks[n.ID], focus)
	quiet := !speaks(n) || m.dimmed()
	tok, state := m.nodeLook(n)
	text := theme.Text
	if quiet {
		text = theme.Muted
	}
	for i, width := range ws {
		if width == 0 {
			continue
		}
		if i > 0 {
			l.Sp(2)
		}
		switch i {
		case 0:
			m.nodeName(l, n, text, width)
		case 1:
			l.Cell(theme.Muted, role(n), width, false)
		case 2:
			l.Cell(tok, state, width, false)
		case 3:
			m.loadCell(l, float64(n.Load.CPUPercent), bar, quiet)
		case 4:
			m.loadCell(l, memPercent(n.Load), bar, quiet)
		case 5:
			l.Cell(text, slotsOf(n), width, true)
		case 6:
			rtt := "-"
			if n.RTT > 0 && !n.Self {
				rtt = rttText(n)
			}
			l.Cell(theme.Muted, rtt, width, true)
		case 7:
			l.Cell(theme.Muted, m.seenText(n), width, true)
		}
	}
	if cursor && focus {
		return m.s.Row(l.String())
	}
	return l.String()
}

// speaks reports that what is known of a node's load is of now.
func speaks(n *control.Node) bool {
	switch n.State {
	case control.NodeUp, control.NodeDraining, control.NodeDrained:
		return true
	}
	return false
}

// nodeName is the name in w cells: bold for this node, with a mark behind it
// when something about the node should be looked at.
func (m *Model) nodeName(l *part.Line, n *control.Node, tok theme.Token, w int) {
	mark := ""
	if len(n.Warnings) > 0 || odd(n, m.nodes.version) || clockWords(n) != "" {
		mark = " " + m.s.Glyphs.Stale
	}
	name := fitName(n.Name, w-part.Width(mark))
	end := l.Used() + w
	if n.Self {
		l.B(tok, name)
	} else {
		l.T(tok, name)
	}
	l.T(theme.Warn, mark).To(end)
}

func fitName(name string, w int) string {
	name = part.Clean(name)
	if part.Width(name) > w {
		return strings.TrimRight(part.Fit(name, w), " ")
	}
	return name
}

// loadCell is a bar and its number.
func (m *Model) loadCell(l *part.Line, percent float64, bar int, quiet bool) {
	if quiet {
		l.Cell(theme.Faint, strings.Repeat(" ", bar/2)+"-", bar+5, false)
		return
	}
	l.Bar(percent, bar)
	num := fmt.Sprintf("%4.0f%%", percent)
	switch {
	case percent >= 90:
		l.B(theme.Load5, num)
	case percent >= 75:
		l.T(theme.Load4, num)
	default:
		l.T(theme.Text, num)
	}
}

// slotsUsed is how many slots are taken, and how many tasks wait on the node
// for one of them: a worker is given a few ahead.
func slotsUsed(n *control.Node) (used, wait int) {
	used = min(int(n.Used.Tasks), int(n.Capacity.Slots))
	return used, int(n.Used.Tasks) - used
}

// slotsOf is the slots in few cells: taken/all+waiting.
func slotsOf(n *control.Node) string {
	if n.Capacity.Slots == 0 {
		return "-"
	}
	used, wait := slotsUsed(n)
	text := fmt.Sprintf("%d/%d", used, n.Capacity.Slots)
	if wait > 0 {
		text += fmt.Sprintf("+%d", wait)
	}
	return text
}

func rttText(n *control.Node) string {
	switch ms := n.RTT.Milliseconds(); {
	case ms < 1:
		return "<1ms"
	case ms < 1000:
		return fmt.Sprintf("%dms", ms)
	default:
		return part.Dur(n.RTT)
	}
}
