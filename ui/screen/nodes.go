package screen

import (
	"fmt"
	"strings"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// paneNodes is the list of nodes.
type paneNodes struct{}

// Act moves the cursor, marks and sorts.
func (*paneNodes) Act(view *Scene, action Action) { actNodes(view, action) }

// Back clears the filter, then the marks.
func (*paneNodes) Back(view *Scene) bool { return view.Nodes.back() }

// Filter is what the nodes are filtered by.
func (*paneNodes) Filter(view *Scene) string { return view.Nodes.filter }

// SetFilter shows only the nodes that match.
func (*paneNodes) SetFilter(view *Scene, text string) error {
	view.Nodes.filter = text
	return nil
}

// Found says nothing: the nodes are all on the screen.
func (*paneNodes) Found(*Scene) string { return "" }

// Syntax is what a filter may say.
func (*paneNodes) Syntax() string { return "part of a name, state=stale, os=linux, any label" }

// actNodes is what keys mean in the list and on the heat map.
func actNodes(view *Scene, action Action) {
	l := &view.Nodes
	row, page := 1, max(1, l.height/2)
	if view.Focus == HeatPane {
		row = max(1, l.columns)
		page *= row
	}
	switch action {
	case "down":
		l.move(view, row)
	case "up":
		l.move(view, -row)
	case "page.down":
		l.move(view, page)
	case "page.up":
		l.move(view, -page)
	case "left":
		l.move(view, -1)
	case "right":
		l.move(view, 1)
	case "first":
		l.move(view, -1<<20)
	case "last":
		l.move(view, 1<<20)
	case "open":
		if view.Node() != nil {
			view.Push(DeepNode)
		}
	case "mark":
		if n := view.Node(); n != nil {
			if l.Marks[n.ID] {
				delete(l.Marks, n.ID)
			} else {
				l.Marks[n.ID] = true
			}
			l.move(view, 1)
		}
	case "problems":
		l.problems = !l.problems
	case "sort":
		l.sort = (l.sort + 1) % len(nodeSorts)
	case "sort.reverse":
		l.reverse = !l.reverse
	}
}

// Click moves the cursor to a drawn row.
func (*paneNodes) Click(view *Scene, row int) {
	l := &view.Nodes
	list := l.shown(view.Facts())
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

// Draw draws the list.
func (*paneNodes) Draw(view *Scene, w, h int, focus bool) []string {
	l, s := &view.Nodes, view.Facts()
	iw, ih := part.Inner(w, h)
	l.height = max(0, ih-1)
	l.version = s.version()
	list := l.shown(s)
	i := l.index(list)
	l.top = min(max(l.top, i-l.height+1), i)
	l.top = max(0, min(l.top, len(list)-l.height))
	cols, bar := nodeColumns(view.Styles, iw)
	room := iw - 3 // beside the cursor
	if iw >= 76 {
		room-- // air at the end
	}
	ws := part.FitColumns(cols, room, 2)
	ws[0] = min(ws[0], 28)
	lines := []string{part.Header(part.NewLine(view.Styles, iw).Sp(3), cols, ws, 2).String()}
	for j := l.top; j < len(list) && len(lines) < ih; j++ {
		lines = append(lines, nodeRow(view, list[j], ws, bar, iw, j == i, focus))
	}
	if len(list) == 0 {
		text := "No nodes yet. Start octaskly on another machine."
		if l.filter != "" || l.problems {
			text = "0 of " + part.Plural(len(s.Nodes), "node") + " match. esc clears the filter."
		}
		lines = append(lines, "", part.NewLine(view.Styles, iw).Sp(3).T(theme.Muted, text).String())
		lines[1] = part.NewLine(view.Styles, iw).String()
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
	}.Draw(view.Styles, w, h, lines)
}

func nodeRow(view *Scene, n *control.Node, ws []int, bar, w int, cursor, focus bool) string {
	l := part.NewLine(view.Styles, w)
	gutter(view, l, cursor, view.Nodes.Marks[n.ID], focus)
	quiet := !speaks(n) || view.Dimmed()
	tok, state := nodeLook(view, n)
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
			l.Cell(theme.Muted, role(n), width, false)
		case 2:
			l.Cell(tok, state, width, false)
		case 3:
			loadCell(view, l, float64(n.Load.CPUPercent), bar, quiet)
		case 4:
			loadCell(view, l, memPercent(n.Load), bar, quiet)
		case 5:
			l.Cell(text, slotsOf(n), width, true)
		case 6:
			rtt := "-"
			if n.RTT > 0 && !n.Self {
				rtt = rttText(n)
			}
			l.Cell(theme.Muted, rtt, width, true)
		case 7:
			l.Cell(theme.Muted, seenText(view, n), width, true)
		}
	}
	if cursor && focus {
		return view.Styles.Row(l.String())
	}
	return l.String()
}

// nodeName is the name in w cells: bold for this node, with a mark behind it
// when something about the node should be looked at.
func nodeName(view *Scene, l *part.Line, n *control.Node, tok theme.Token, w int) {
	mark := ""
	if len(n.Warnings) > 0 || odd(n, view.Nodes.version) || clockWords(n) != "" {
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
func loadCell(view *Scene, l *part.Line, percent float64, bar int, quiet bool) {
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
