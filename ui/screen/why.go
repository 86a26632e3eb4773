package screen

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// whyBox says why a task waits, as a matrix of nodes and requirements, or
// what happened to it.
type whyBox struct {
	id  task.ID
	top int
}

func newWhy(id task.ID) overlay { return &whyBox{id: id} }

func (b *whyBox) in() Ctx      { return InDialog }
func (b *whyBox) want(w *Want) { w.Why = b.id }

func (b *whyBox) command(*Model) string { return "octaskly why " + b.id.String() }

func (b *whyBox) act(m *Model, action string) {
	switch action {
	case "down":
		b.top++
	case "up":
		b.top = max(0, b.top-1)
	case "dialog.close", "dialog.enter":
		m.closeIt(b)
	}
}

func (b *whyBox) foot(m *Model) []hint {
	return []hint{{"esc", "close"}, {"j k", "scroll"}, {m.keys.Of(InDialog, "copy.command"), "copy as command"}}
}

func (b *whyBox) draw(m *Model, w, h int) []string {
	w = min(w, 110)
	iw := max(0, w-4)
	s := m.view()
	title := "Task " + b.id.String()
	var lines []string
	switch {
	case s.WhyErr != "" && (s.Why == nil || s.Why.ID != b.id):
		lines = m.text(iw, theme.Err, s.WhyErr)
	case s.Why == nil || s.Why.ID != b.id:
		lines = []string{part.NewLine(m.s, iw).T(theme.Muted, "asking …").String()}
	case s.Why.Waits != nil:
		title = "Why does task " + b.id.String() + " wait?"
		lines = m.waitLines(s.Why, iw)
	default:
		title = "What happened to task " + b.id.String() + "?"
		lines = m.toldLines(s.Why, iw)
	}
	room := max(1, h-5)
	b.top = min(b.top, max(0, len(lines)-room))
	remark := ""
	if len(lines) > room {
		remark = fmt.Sprintf("%d-%d of %d", b.top+1, min(b.top+room, len(lines)), len(lines))
		lines = lines[b.top:min(b.top+room, len(lines))]
	}
	return part.Dialog{Title: title, Remark: remark, Lines: lines, Focus: -1}.Draw(m.s, w, h)
}

func (m *Model) toldLines(why *control.Why, w int) []string {
	var out []string
	for _, t := range why.Told {
		for i, ln := range wrapWords(part.Clean(t), w-3) {
			l := part.NewLine(m.s, w)
			if i == 0 {
				l.T(stateToken(why.State), m.s.Glyphs.Crumb).Sp(2)
			} else {
				l.Sp(3)
			}
			out = append(out, l.T(theme.Text, ln).String())
		}
	}
	if why.Would != "" {
		out = append(out, part.NewLine(m.s, w).String())
		out = append(out, m.text(w, theme.Accent, why.Would)...)
	}
	return out
}

// waitLines is the place in the queue, what would make it run, and the matrix.
func (m *Model) waitLines(why *control.Why, w int) []string {
	x := why.Waits
	fits, now := 0, 0
	for i := range x.Nodes {
		if x.Nodes[i].Fits {
			fits++
		}
		if x.Nodes[i].Now {
			now++
		}
	}
	l := part.NewLine(m.s, w).T(theme.Muted, "place ").B(theme.Text, part.Count(x.Ahead+1)).Sp(3).
		T(theme.Muted, "nodes that fit ").B(theme.Text, fmt.Sprintf("%d of %d", fits, len(x.Nodes))).T(theme.Muted, fmt.Sprintf(" (%d free now)", now))
	if x.Estimate > 0 && fits > 0 {
		l.T(theme.Muted, ", starts in about ").B(theme.Text, part.Dur(x.Estimate.Round(time.Second)))
	}
	out := []string{l.String()}
	if x.Until > 0 {
		out = append(out, part.NewLine(m.s, w).T(theme.Muted, "it is not tried before ").T(theme.Text, clockOf(x.Until)).String())
	}
	if why.Would != "" {
		out = append(out, m.text(w, theme.Accent, why.Would)...)
	}
	return append(append(out, part.NewLine(m.s, w).String()), m.matrix(x.Nodes, w)...)
}

// matrix is nodes × requirements: what is met, what is busy, what is missing.
func (m *Model) matrix(nodes []control.NodeVerdict, w int) []string {
	terms := termNames(nodes)
	name := 12
	cell := 12
	if n := len(terms); n > 0 {
		cell = min(16, max(9, (w-name-2)/n-1))
	}
	head := part.NewLine(m.s, w).Cell(theme.Muted, "NODE", name, false).Sp(1)
	for _, t := range terms {
		head.Cell(theme.Muted, strings.ToUpper(t), cell, false).Sp(1)
	}
	out := []string{head.String()}
	for _, v := range sortedVerdicts(nodes) {
		l := part.NewLine(m.s, w)
		tok := theme.Err
		switch {
		case v.Now:
			tok = theme.OK
		case v.Fits:
			tok = theme.Warn
		}
		l.Cell(tok, v.Node, name, false).Sp(1)
		for _, t := range terms {
			m.termCell(l, &v, t, cell)
			l.Sp(1)
		}
		out = append(out, l.String())
	}
	return append(out, part.NewLine(m.s, w).String(), part.NewLine(m.s, w).T(theme.OK, m.s.Glyphs.Done).T(theme.Muted, " met   ").
		T(theme.Warn, m.s.Glyphs.Retry).T(theme.Muted, " met when something ends there   ").T(theme.Err, m.s.Glyphs.Failed).T(theme.Muted, " wants → has").String())
}

func (m *Model) termCell(l *part.Line, v *control.NodeVerdict, term string, w int) {
	for _, t := range v.Terms {
		if t.Name != term {
			continue
		}
		if t.Busy {
			l.Cell(theme.Warn, m.s.Glyphs.Retry+" "+t.Have, w, false)
			return
		}
		l.Cell(theme.Err, m.s.Glyphs.Failed+" "+t.Want+m.s.Glyphs.Arrow+t.Have, w, false)
		return
	}
	l.Cell(theme.OK, m.s.Glyphs.Done, w, false)
}

func termNames(nodes []control.NodeVerdict) []string {
	seen := map[string]int{}
	for i := range nodes {
		for _, t := range nodes[i].Terms {
			seen[t.Name]++
		}
	}
	out := make([]string, 0, len(seen))
	for t := range seen {
		out = append(out, t)
	}
	sort.Slice(out, func(i, j int) bool {
		if seen[out[i]] != seen[out[j]] {
			return seen[out[i]] > seen[out[j]]
		}
		return out[i] < out[j]
	})
	return out
}

// sortedVerdicts has the hopeful nodes first.
func sortedVerdicts(nodes []control.NodeVerdict) []control.NodeVerdict {
	out := append([]control.NodeVerdict(nil), nodes...)
	rank := func(v *control.NodeVerdict) int {
		switch {
		case v.Now:
			return 0
		case v.Fits:
			return 1
		}
		return 2 + len(v.Terms)
	}
	sort.SliceStable(out, func(i, j int) bool { return rank(&out[i]) < rank(&out[j]) })
	return out
}

// newNodeWhy says in words how a node stands and what follows from it.
func newNodeWhy(m *Model) overlay {
	q := &question{title: "Node", wide: 72}
	if n := m.node(); n != nil {
		q.title = "Why is " + n.Name + " " + string(n.State) + "?"
		if n.State == control.NodeUp {
			q.title = "How is " + n.Name + "?"
		}
		q.same = "octaskly nodes show " + text.QuoteShell(n.Name)
	}
	q.lines = func(m *Model, w int) []string {
		n := m.node()
		if n == nil {
			return nil
		}
		out := m.text(w, theme.Text, nodeStory(n, m.seenText(n)))
		for _, x := range n.Warnings {
			out = append(out, m.text(w, theme.Warn, m.s.Glyphs.Stale+" "+x)...)
		}
		return out
	}
	q.buttons = []choice{{label: "Close"}}
	return q
}

func nodeStory(n *control.Node, seen string) string {
	switch n.State {
	case control.NodeUp:
		if n.Capacity.Slots == 0 {
			return "It is well, and takes no tasks: it offers no slots."
		}
		if n.Used.Tasks >= n.Capacity.Slots {
			return fmt.Sprintf("It is well and full: %d of %d slots in use. The next task goes there when one ends.", n.Capacity.Slots, n.Capacity.Slots)
		}
		return fmt.Sprintf("It is well and has room: %d of %d slots in use.", n.Used.Tasks, n.Capacity.Slots)
	case control.NodeDraining:
		return fmt.Sprintf("Somebody drained it: it gets no new tasks. %s still running there. D takes it back.", part.Plural(int(n.Used.Tasks), "task"))
	case control.NodeDrained:
		return "Somebody drained it, and nothing runs there any more. It may be stopped. D gives it tasks again."
	case control.NodeStale:
		return "It missed heartbeats; it was last heard " + seen + " ago. Its leases still hold, so nothing is run twice. If it stays silent it becomes lost."
	case control.NodeLost:
		return "Its leases ran out; it was last heard " + seen + " ago. Its at-least-once tasks were given to others; at-most-once ones are lost until it reports."
	case control.NodeAway:
		return "It left in good order and may come back at any time."
	case control.NodeAsks:
		return "It is not a member and asks to be. It can do nothing until a person types its code: press t."
	case control.NodeForeign:
		return "It belongs to another cluster. It is shown so that nobody wonders; it can do nothing here."
	}
	return "It is " + string(n.State) + "."
}
