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

// eventList is the log of what happened, newest first.
type eventList struct {
	problems bool
	filter   string
	anchor   uint64 // position of the first shown one when not at the top
	height   int
	lines    []eventLine
	seen     eventsKey
	here     []eventLine // what was refused on this screen, oldest first
}

// eventsKey is what the folded lines were made from.
type eventsKey struct {
	snapshot *Snapshot
	here     int64 // time of the newest
	problems bool
	filter   string
}

// eventLine is one event, or several alike.
type eventLine struct {
	at    int64
	tok   theme.Token
	glyph string
	kind  string
	text  string
	pos   uint64
	task  task.ID
	node  string
	fold  string // those with the same fold within ten seconds are one line
	count int
	bad   bool
}

const foldMS = 10_000

// fold turns events, oldest first, into lines, newest first. Repeated events
// of a kind from one node become one line with a count.
func (m *Model) fold(events []control.Event) []eventLine {
	var out []eventLine
	last := map[string]int{}
	for i := range events {
		ln := m.eventLine(&events[i])
		if ln.fold != "" {
			if j, ok := last[ln.fold]; ok && ln.at-out[j].at < foldMS {
				out[j].count++
				out[j].pos, out[j].task = ln.pos, ln.task
				continue
			}
			last[ln.fold] = len(out)
		}
		out = append(out, ln)
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

func (m *Model) eventLine(e *control.Event) eventLine {
	ln := eventLine{at: e.Time, pos: e.Position, task: e.Task, node: e.Node, text: e.Text, kind: string(e.Kind), count: 1, tok: theme.Muted, glyph: m.s.Glyphs.Info}
	switch e.Kind {
	case control.EventTask:
		ln.tok, ln.glyph = stateToken(e.To), m.stateGlyph(e.To)
		ln.text = e.Task.String() + " " + e.Text
		ln.bad = e.To == task.Failed || e.To == task.Timeout || e.To == task.Lost || e.To == task.Retry
		code := int32(0)
		if e.Exit != nil {
			code = e.Exit.Code
		}
		ln.fold = fmt.Sprintf("%s|%s|%d", e.To, e.Node, code)
		if e.Text == "" {
			ln.text = e.Task.String() + " " + e.To.String()
			if e.Node != "" {
				ln.text += " on " + e.Node
			}
		}
	case control.EventNode:
		if e.NodeInfo != nil {
			var state string
			ln.tok, state = m.nodeLook(e.NodeInfo)
			ln.glyph, _, _ = strings.Cut(state, " ")
			ln.bad = e.NodeInfo.State != control.NodeUp
		} else if state, ok := saidState(e.Text); ok {
			var look string
			ln.tok, look = m.nodeLook(&control.Node{State: state, Doing: []string{""}})
			ln.glyph, _, _ = strings.Cut(look, " ")
			ln.bad = state == control.NodeStale || state == control.NodeLost
		}
		if e.Text == "" {
			ln.text = e.Node
		}
	case control.EventNotice:
		ln.tok, ln.glyph, ln.bad = theme.Warn, m.s.Glyphs.Stale, true
	case control.EventGap:
		ln.text, ln.tok = "some events were missed here", theme.Warn
	}
	return ln
}

// saidState is the state that an event about a node tells in words only.
func saidState(text string) (control.NodeState, bool) {
	for _, s := range []control.NodeState{control.NodeUp, control.NodeStale, control.NodeLost, control.NodeDraining, control.NodeDrained} {
		if strings.HasSuffix(text, " is "+string(s)) {
			return s, true
		}
	}
	if strings.HasSuffix(text, " takes tasks again") {
		return control.NodeUp, true
	}
	return "", false
}

// words is the line's text, with the count of those it stands for.
func (l *eventLine) words() string {
	if l.count < 2 {
		return l.text
	}
	where := ""
	if l.node != "" {
		where = " on " + l.node
	}
	state, _, _ := strings.Cut(l.fold, "|")
	return fmt.Sprintf("%s tasks %s%s, the last is %s", part.Count(l.count), state, where, l.task)
}

// shown is the lines that pass the filter.
func (l *eventList) shown(m *Model) []eventLine {
	key := eventsKey{snapshot: m.view(), problems: l.problems, filter: l.filter}
	if n := len(l.here); n > 0 {
		key.here = l.here[n-1].at
	}
	if key == l.seen && l.lines != nil {
		return l.lines
	}
	l.seen, l.lines = key, nil
	want := strings.ToLower(l.filter)
	for _, ln := range l.withHere(m.fold(m.view().Events)) {
		if l.problems && !ln.bad || want != "" && !strings.Contains(strings.ToLower(ln.kind+" "+ln.text), want) {
			continue
		}
		l.lines = append(l.lines, ln)
	}
	return l.lines
}

// keepHere is how many of this screen's own errors are kept.
const keepHere = 50

// add keeps an error of this screen, so that it can be read whole later.
func (l *eventList) add(m *Model, text string) {
	ln := eventLine{at: m.snap.Now.UnixMilli(), tok: theme.Err, glyph: m.s.Glyphs.Failed, kind: "here", text: text, count: 1, bad: true}
	if n := len(m.snap.Events); n > 0 {
		ln.pos = m.snap.Events[n-1].Position
	}
	l.here = append(l.here, ln)
	l.here = l.here[max(0, len(l.here)-keepHere):]
	l.seen = eventsKey{}
}

// withHere puts this screen's own errors between the lines, newest first.
func (l *eventList) withHere(lines []eventLine) []eventLine {
	if len(l.here) == 0 {
		return lines
	}
	lines = append(lines, l.here...)
	slices.SortStableFunc(lines, func(a, b eventLine) int { return cmp.Compare(b.at, a.at) })
	return lines
}

// newEvent shows one event whole.
func newEvent(ln eventLine) *question {
	q := &question{title: "Event of " + clockOf(ln.at), wide: 72, buttons: []choice{{label: "Close"}}, same: "octaskly events"}
	q.lines = func(m *Model, w int) []string { return m.text(w, theme.Text, ln.words()) }
	return q
}

func (l *eventList) first(lines []eventLine) int {
	if l.anchor == 0 {
		return 0
	}
	for i := range lines {
		if lines[i].pos <= l.anchor {
			return i
		}
	}
	return max(0, len(lines)-1)
}

func (l *eventList) move(m *Model, n int) {
	lines := l.shown(m)
	i := min(max(0, l.first(lines)+n), max(0, len(lines)-l.height))
	l.anchor = 0
	if i > 0 && i < len(lines) {
		l.anchor = lines[i].pos
	}
}

func (l *eventList) act(m *Model, action string) {
	page := max(1, l.height/2)
	switch action {
	case "down":
		l.move(m, 1)
	case "up":
		l.move(m, -1)
	case "page.down":
		l.move(m, page)
	case "page.up":
		l.move(m, -page)
	case "first":
		l.anchor = 0
	case "last":
		l.move(m, 1<<20)
	case "problems":
		l.problems, l.anchor = !l.problems, 0
	case "open":
		lines := l.shown(m)
		i := l.first(lines)
		switch {
		case i >= len(lines):
		case lines[i].task == 0:
			m.open(newEvent(lines[i]))
		default:
			m.output.pin(lines[i].task)
			m.push(DeepTask)
		}
	}
}

func (l *eventList) back() bool {
	if l.problems || l.filter != "" {
		l.problems, l.filter, l.anchor = false, "", 0
		return true
	}
	return false
}

func (m *Model) drawEvents(w, h int, focus bool) []string {
	l := &m.events
	iw, ih := part.Inner(w, h)
	l.height = ih
	lines := l.shown(m)
	first := l.first(lines)
	var out []string
	for i := first; i < len(lines) && len(out) < ih; i++ {
		row := part.NewLine(m.s, iw)
		if focus && i == first {
			row.B(theme.Focus, m.s.Glyphs.Cursor).Sp(1)
		} else {
			row.Sp(2)
		}
		m.eventRow(row, &lines[i])
		if focus && i == first {
			out = append(out, m.s.Row(row.String()))
			continue
		}
		out = append(out, row.String())
	}
	if len(lines) == 0 {
		out = append(out, part.NewLine(m.s, iw).Sp(1).T(theme.Muted, "Nothing happened yet.").String())
	}
	remark := "live"
	if l.anchor != 0 {
		remark = "g goes to the newest"
	}
	if l.problems {
		remark = "only problems  " + remark
	}
	if l.filter != "" {
		remark = "/ " + l.filter + "  " + remark
	}
	return part.Box{Title: "Events", Remark: remark, Focus: focus, Scroll: part.Scroll{First: first, Shown: ih, Total: len(lines)}}.Draw(m.s, w, h, part.Tall(out, iw, ih))
}

func (m *Model) eventRow(l *part.Line, e *eventLine) {
	l.T(theme.Muted, clockOf(e.at)+" ").T(e.tok, e.glyph+" ").Cell(theme.Muted, e.kind, 7, false)
	tok := theme.Text
	if e.bad {
		tok = e.tok
	}
	l.T(tok, e.words())
}
