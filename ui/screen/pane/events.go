package pane

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// Events is the log of what happened, newest first.
type Events struct {
	problems bool
	filter   string
	anchor   uint64 // position of the first shown one when not at the top
	height   int
	lines    []eventLine
	seen     eventsKey
}

// eventsKey is what the folded lines were made from.
type eventsKey struct {
	snapshot  *scene.Snapshot
	refused   int
	refusedAt int64 // of the newest
	problems  bool
	filter    string
}

// eventLine is one event, or several alike.
type eventLine struct {
	At    int64
	Tok   theme.Token
	Glyph string
	kind  string
	text  string
	pos   uint64
	task  task.ID
	node  string
	fold  string // those with the same fold within ten seconds are one line
	count int
	Bad   bool
}

const foldMS = 10_000

// Fold turns events, oldest first, into lines, newest first. Repeated events
// of a kind from one node become one line with a count.
func Fold(view *scene.Scene, events []control.Event) []eventLine {
	var out []eventLine
	last := map[string]int{}
	for i := range events {
		ln := newEventLine(view, &events[i])
		if ln.fold != "" {
			if j, ok := last[ln.fold]; ok && ln.At-out[j].At < foldMS {
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

func newEventLine(view *scene.Scene, e *control.Event) eventLine {
	ln := eventLine{At: e.Time, pos: e.Position, task: e.Task, node: e.Node, text: e.Text, kind: string(e.Kind), count: 1, Tok: theme.Muted, Glyph: view.Styles.Glyphs.Info}
	switch e.Kind {
	case control.EventTask:
		ln.Tok, ln.Glyph = scene.StateToken(e.To), scene.StateGlyph(view, e.To)
		ln.text = e.Task.String() + " " + e.Text
		ln.Bad = e.To == task.Failed || e.To == task.Timeout || e.To == task.Lost || e.To == task.Retry
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
			ln.Tok, state = scene.NodeLook(view, e.NodeInfo)
			ln.Glyph, _, _ = strings.Cut(state, " ")
			ln.Bad = e.NodeInfo.State != control.NodeUp
		} else if state, ok := saidState(e.Text); ok {
			var look string
			ln.Tok, look = scene.NodeLook(view, &control.Node{State: state, Doing: []string{""}})
			ln.Glyph, _, _ = strings.Cut(look, " ")
			ln.Bad = state == control.NodeStale || state == control.NodeLost
		}
		if e.Text == "" {
			ln.text = e.Node
		}
	case control.EventNotice:
		ln.Tok, ln.Glyph, ln.Bad = theme.Warn, view.Styles.Glyphs.Stale, true
	case control.EventGap:
		ln.text, ln.Tok = "some events were missed here", theme.Warn
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

// Words is the line's text, with the count of those it stands for.
func (l *eventLine) Words() string {
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
func (l *Events) shown(view *scene.Scene) []eventLine {
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
	for _, ln := range withRefusals(view, Fold(view, view.Facts().Events)) {
		if l.problems && !ln.Bad || want != "" && !strings.Contains(strings.ToLower(ln.kind+" "+ln.text), want) {
			continue
		}
		l.lines = append(l.lines, ln)
	}
	return l.lines
}

// withRefusals puts this screen's own errors between the lines, newest first.
func withRefusals(view *scene.Scene, lines []eventLine) []eventLine {
	if len(view.Refused) == 0 {
		return lines
	}
	for _, r := range view.Refused {
		lines = append(lines, eventLine{At: r.At, pos: r.Position, Tok: theme.Err, Glyph: view.Styles.Glyphs.Failed, kind: "here", text: r.Text, count: 1, Bad: true})
	}
	slices.SortStableFunc(lines, func(a, b eventLine) int { return cmp.Compare(b.At, a.At) })
	return lines
}

func (l *Events) first(lines []eventLine) int {
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

func (l *Events) move(view *scene.Scene, n int) {
	lines := l.shown(view)
	i := min(max(0, l.first(lines)+n), max(0, len(lines)-l.height))
	l.anchor = 0
	if i > 0 && i < len(lines) {
		l.anchor = lines[i].pos
	}
}

// Act scrolls and opens.
func (l *Events) Act(view *scene.Scene, action scene.Action) {
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
			view.Router.Explain("Event of "+scene.ClockOf(lines[i].At), lines[i].Words(), "octaskly events")
		default:
			view.OpenTask(lines[i].task, scene.DeepTask)
		}
	}
}

// Back clears the filter.
func (l *Events) Back(*scene.Scene) bool {
	if l.problems || l.filter != "" {
		l.problems, l.filter, l.anchor = false, "", 0
		return true
	}
	return false
}

// Filter is what the events are filtered by.
func (l *Events) Filter(*scene.Scene) string { return l.filter }

// SetFilter shows only the events with these letters.
func (l *Events) SetFilter(_ *scene.Scene, text string) error {
	l.filter, l.anchor = text, 0
	return nil
}

// Found says nothing: how many there are stands beside them.
func (*Events) Found(*scene.Scene) string { return "" }

// Syntax is what a filter may say.
func (*Events) Syntax() string { return "words in the event" }

// Copy is the line at the cursor.
func (l *Events) Copy(view *scene.Scene) (text, what string) {
	lines := l.shown(view)
	if len(lines) == 0 {
		return "", ""
	}
	line := lines[l.first(lines)]
	return scene.ClockOf(line.At) + " " + part.Clean(line.Words()), "the event"
}

// Draw draws one line an event.
func (l *Events) Draw(view *scene.Scene, w, h int, focus bool) []string {
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
		eventRow(row, &lines[i])
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

func eventRow(l *part.Line, e *eventLine) {
	l.T(theme.Muted, scene.ClockOf(e.At)+" ").T(e.Tok, e.Glyph+" ").Cell(theme.Muted, e.kind, 7, false)
	tok := theme.Text
	if e.Bad {
		tok = e.Tok
	}
	l.T(tok, e.Words())
}
