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

// paneEvents is the log of what happened, newest first.
type paneEvents struct {
	problems bool
	filter   string
	anchor   uint64 // position of the first shown one when not at the top
	height   int
	lines    []eventLine
	seen     eventsKey
}

// eventsKey is what the folded lines were made from.
type eventsKey struct {
	snapshot  *Snapshot
	refused   int
	refusedAt int64 // of the newest
	problems  bool
	filter    string
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
func fold(view *Scene, events []control.Event) []eventLine {
	var out []eventLine
	last := map[string]int{}
	for i := range events {
		ln := newEventLine(view, &events[i])
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

func newEventLine(view *Scene, e *control.Event) eventLine {
	ln := eventLine{at: e.Time, pos: e.Position, task: e.Task, node: e.Node, text: e.Text, kind: string(e.Kind), count: 1, tok: theme.Muted, glyph: view.Styles.Glyphs.Info}
	switch e.Kind {
	case control.EventTask:
		ln.tok, ln.glyph = stateToken(e.To), stateGlyph(view, e.To)
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
			ln.tok, state = nodeLook(view, e.NodeInfo)
			ln.glyph, _, _ = strings.Cut(state, " ")
			ln.bad = e.NodeInfo.State != control.NodeUp
		} else if state, ok := saidState(e.Text); ok {
			var look string
			ln.tok, look = nodeLook(view, &control.Node{State: state, Doing: []string{""}})
			ln.glyph, _, _ = strings.Cut(look, " ")
			ln.bad = state == control.NodeStale || state == control.NodeLost
		}
		if e.Text == "" {
			ln.text = e.Node
		}
	case control.EventNotice:
		ln.tok, ln.glyph, ln.bad = theme.Warn, view.Styles.Glyphs.Stale, true
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
func (l *paneEvents) shown(view *Scene) []eventLine {
	key := eventsKey{snapshot: view.Facts(), problems: l.problems, filter: l.filter}
	key.refused = len(view.Refused)
	if key.refused > 0 {
		key.refusedAt = view.Refused[key.refused-1].At
	}
	if key == l.seen && l.lines != nil {
		return l.lines
	}
	l.seen, l.lines = key, nil
	want := strings.ToLower(l.filter)
	for _, ln := range withRefusals(view, fold(view, view.Facts().Events)) {
		if l.problems && !ln.bad || want != "" && !strings.Contains(strings.ToLower(ln.kind+" "+ln.text), want) {
			continue
		}
		l.lines = append(l.lines, ln)
	}
	return l.lines
}

// withRefusals puts this screen's own errors between the lines, newest first.
func withRefusals(view *Scene, lines []eventLine) []eventLine {
	if len(view.Refused) == 0 {
		return lines
	}
	for _, r := range view.Refused {
		lines = append(lines, eventLine{at: r.At, pos: r.Position, tok: theme.Err, glyph: view.Styles.Glyphs.Failed, kind: "here", text: r.Text, count: 1, bad: true})
	}
	slices.SortStableFunc(lines, func(a, b eventLine) int { return cmp.Compare(b.at, a.at) })
	return lines
}

func (l *paneEvents) first(lines []eventLine) int {
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

func (l *paneEvents) move(view *Scene, n int) {
	lines := l.shown(view)
	i := min(max(0, l.first(lines)+n), max(0, len(lines)-l.height))
	l.anchor = 0
	if i > 0 && i < len(lines) {
		l.anchor = lines[i].pos
	}
}

// Act scrolls and opens.
func (l *paneEvents) Act(view *Scene, action Action) {
	page := max(1, l.height/2)
	switch action {
	case "down":
		l.move(view, 1)
	case "up":
		l.move(view, -1)
	case "page.down":
		l.move(view, page)
	case "page.up":
		l.move(view, -page)
	case "first":
		l.anchor = 0
	case "last":
		l.move(view, 1<<20)
	case "problems":
		l.problems, l.anchor = !l.problems, 0
	case "open":
		lines := l.shown(view)
		i := l.first(lines)
		switch {
		case i >= len(lines):
		case lines[i].task == 0:
			view.Router.Explain("Event of "+clockOf(lines[i].at), lines[i].words(), "octaskly events")
		default:
			view.OpenTask(lines[i].task, DeepTask)
		}
	}
}

// Back clears the filter.
func (l *paneEvents) Back(*Scene) bool {
	if l.problems || l.filter != "" {
		l.problems, l.filter, l.anchor = false, "", 0
		return true
	}
	return false
}

// Filter is what the events are filtered by.
func (l *paneEvents) Filter(*Scene) string { return l.filter }

// SetFilter shows only the events with these letters.
func (l *paneEvents) SetFilter(_ *Scene, text string) error {
	l.filter, l.anchor = text, 0
	return nil
}

// Found says nothing: how many there are stands beside them.
func (*paneEvents) Found(*Scene) string { return "" }

// Syntax is what a filter may say.
func (*paneEvents) Syntax() string { return "words in the event" }

// Copy is the line at the cursor.
func (l *paneEvents) Copy(view *Scene) (text, what string) {
	lines := l.shown(view)
	if len(lines) == 0 {
		return "", ""
	}
	line := lines[l.first(lines)]
	return clockOf(line.at) + " " + part.Clean(line.words()), "the event"
}

// Draw draws one line an event.
func (l *paneEvents) Draw(view *Scene, w, h int, focus bool) []string {
	iw, ih := part.Inner(w, h)
	l.height = ih
	lines := l.shown(view)
	first := l.first(lines)
	var out []string
	for i := first; i < len(lines) && len(out) < ih; i++ {
		row := part.NewLine(view.Styles, iw)
		if focus && i == first {
			row.B(theme.Focus, view.Styles.Glyphs.Cursor).Sp(1)
		} else {
			row.Sp(2)
		}
		eventRow(view, row, &lines[i])
		if focus && i == first {
			out = append(out, view.Styles.Row(row.String()))
			continue
		}
		out = append(out, row.String())
	}
	if len(lines) == 0 {
		out = append(out, part.NewLine(view.Styles, iw).Sp(1).T(theme.Muted, "Nothing happened yet.").String())
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
	return part.Box{Title: "Events", Remark: remark, Focus: focus, Scroll: part.Scroll{First: first, Shown: ih, Total: len(lines)}}.Draw(view.Styles, w, h, part.Tall(out, iw, ih))
}

func eventRow(view *Scene, l *part.Line, e *eventLine) {
	l.T(theme.Muted, clockOf(e.at)+" ").T(e.tok, e.glyph+" ").Cell(theme.Muted, e.kind, 7, false)
	tok := theme.Text
	if e.bad {
		tok = e.tok
	}
	l.T(tok, e.words())
}
