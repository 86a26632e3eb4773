package pane

import (
	"fmt"
	"strings"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// Nodes is the list of nodes.
type Nodes struct{}

// Act moves the cursor, marks and sorts.
func (*Nodes) Act(view *scene.Scene, action scene.Action) { actNodes(view, action) }

// Back clears the filter, then the marks.
func (*Nodes) Back(view *scene.Scene) bool { return view.Nodes.Back() }

// Filter is what the nodes are filtered by.
func (*Nodes) Filter(view *scene.Scene) string { return view.Nodes.Filter }

// SetFilter shows only the nodes that match.
func (*Nodes) SetFilter(view *scene.Scene, text string) error {
	view.Nodes.Filter = text
	return nil
}

// Found says nothing: the nodes are all on the screen.
func (*Nodes) Found(*scene.Scene) string { return "" }

// Syntax is what a filter may say.
func (*Nodes) Syntax() string { return "part of a name, state=stale, os=linux, any label" }

// actNodes is what keys mean in the list and on the heat map.
func actNodes(view *scene.Scene, action scene.Action) {
	l := &view.Nodes
	row, page := 1, max(1, l.Height/2)
	if view.Focus == scene.HeatPane {
		row = max(1, l.Columns)
		page *= row
	}
	switch action {
	case "down":
		l.Move(view, row)
	case "up":
		l.Move(view, -row)
	case "page.down":
		l.Move(view, page)
	case "page.up":
		l.Move(view, -page)
	case "left":
		l.Move(view, -1)
	case "right":
		l.Move(view, 1)
	case "first":
		l.Move(view, -1<<20)
	case "last":
		l.Move(view, 1<<20)
	case "open":
		if view.Node() != nil {
			view.Push(scene.DeepNode)
		}
	case "mark":
		if n := view.Node(); n != nil {
			if l.Marks[n.ID] {
				delete(l.Marks, n.ID)
			} else {
				l.Marks[n.ID] = true
			}
			l.Move(view, 1)
		}
	case "problems":
		l.Problems = !l.Problems
	case "sort":
		l.Sort = (l.Sort + 1) % len(scene.NodeSorts)
	case "sort.reverse":
		l.Reverse = !l.Reverse
	}
}

// Click moves the cursor to a drawn row.
func (*Nodes) Click(view *scene.Scene, row int) {
	l := &view.Nodes
	list := l.Shown(view.Facts())
	if i := l.Top + row; i < len(list) {
		l.Cursor = list[i].ID
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

// Draw draws the list.
func (*Nodes) Draw(view *scene.Scene, w, h int, focus bool) []string {
	l, s := &view.Nodes, view.Facts()
	iw, ih := part.Inner(w, h)
	l.Height = max(0, ih-1)
	l.Version = s.DispatcherVersion()
	list := l.Shown(s)
	i := l.Index(list)
	l.Top = min(max(l.Top, i-l.Height+1), i)
	l.Top = max(0, min(l.Top, len(list)-l.Height))
	cols, bar := nodeColumns(view.Styles, iw)
	room := iw - 3 // beside the cursor
	if iw >= 76 {
		room-- // air at the end
	}
	ws := part.FitColumns(cols, room, 2)
	ws[0] = min(ws[0], 28)
	lines := []string{part.Header(part.NewLine(view.Styles, iw).Sp(3), cols, ws, 2).String()}
	for j := l.Top; j < len(list) && len(lines) < ih; j++ {
		lines = append(lines, nodeRow(view, list[j], ws, bar, iw, j == i, focus))
	}
	if len(list) == 0 {
		text := "No nodes yet. Start octaskly on another machine."
		if l.Filter != "" || l.Problems {
			text = "0 of " + part.Plural(len(s.Nodes), "node") + " match. esc clears the filter."
		}
		lines = append(lines, "", part.NewLine(view.Styles, iw).Sp(3).T(theme.Muted, text).String())
		lines[1] = part.NewLine(view.Styles, iw).String()
	}
	title := "Nodes"
	if l.Filter != "" {
		title = "Nodes / " + l.Filter
	}
	sort := "sort: " + scene.NodeSorts[l.Sort]
	if l.Problems {
		sort = "only problems  " + sort
	}
	return part.Box{
		Title: title, Remark: sort, Focus: focus,
		Scroll: part.Scroll{First: l.Top, Shown: l.Height, Total: len(list)},
	}.Draw(view.Styles, w, h, lines)
}

func nodeRow(view *scene.Scene, n *control.Node, ws []int, bar, w int, cursor, focus bool) string {
	l := part.NewLine(view.Styles, w)
	gutter(view, l, cursor, view.Nodes.Marks[n.ID], focus)
	quiet := !scene.Speaks(n) || view.Dimmed()
	tok, state := scene.NodeLook(view, n)
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
			nodeName(view, l, n, text, width)
		case 1:
			l.Cell(theme.Muted, scene.Role(n), width, false)
		case 2:
			l.Cell(tok, state, width, false)
		case 3:
			loadCell(l, float64(n.Load.CPUPercent), bar, quiet)
		case 4:
			loadCell(l, scene.MemPercent(n.Load), bar, quiet)
		case 5:
			l.Cell(text, scene.SlotsOf(n), width, true)
		case 6:
			rtt := "-"
			if n.RTT > 0 && !n.Self {
				rtt = scene.RttText(n)
			}
			l.Cell(theme.Muted, rtt, width, true)
		case 7:
			l.Cell(theme.Muted, scene.SeenText(view, n), width, true)
		}
	}
	if cursor && focus {
		return view.Styles.Row(l.String())
	}
	return l.String()
}

// nodeName is the name in w cells: bold for this node, with a mark behind it
// when something about the node should be looked at.
func nodeName(view *scene.Scene, l *part.Line, n *control.Node, tok theme.Token, w int) {
	mark := ""
	if len(n.Warnings) > 0 || scene.Odd(n, view.Nodes.Version) || scene.ClockWords(n) != "" {
		mark = " " + view.Styles.Glyphs.Stale
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
func loadCell(l *part.Line, percent float64, bar int, quiet bool) {
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
