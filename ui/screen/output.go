package screen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// outputPane is how the person looks at a task's output.
type outputPane struct {
	pinned task.ID // the task of an opened page; 0 is the one under the cursor
	shown  task.ID
	view   part.LogView
	height int
	width  int
}

// pin opens a task, so that moving in lists behind it does not change it.
func (o *outputPane) pin(id task.ID) {
	o.pinned = id
	o.reset(id)
}

// reset looks at another task's output from its end, with the same settings.
func (o *outputPane) reset(id task.ID) {
	if o.shown == id {
		return
	}
	o.shown = id
	o.view.Skip = 0
	o.view.Last()
}

func (o *outputPane) act(m *Model, action string) {
	page := max(1, o.height/2)
	switch action {
	case "down":
		o.view.Move(m.log, 1, o.height)
	case "up":
		o.view.Move(m.log, -1, o.height)
	case "page.down":
		o.view.Move(m.log, page, o.height)
	case "page.up":
		o.view.Move(m.log, -page, o.height)
	case "first":
		o.view.First()
	case "last":
		o.view.Last()
	case "left":
		o.view.Skip = max(0, o.view.Skip-16)
	case "right":
		o.view.Skip = min(o.view.Skip+16, 16<<10)
	case "follow":
		o.view.SetFollow(m.log, !o.view.Follow, o.height)
	case "wrap":
		o.view.Wrap = !o.view.Wrap
	case "times":
		o.view.Times = !o.view.Times
	case "stream":
		o.view.Stream = (o.view.Stream + 1) % 3
	case "only":
		o.only(m)
	case "match.next", "match.back":
		o.next(m, action == "match.back")
	case "open":
		if m.taskID() != 0 {
			o.pin(m.taskID())
			m.push(DeepOutput)
		}
	}
}

func (o *outputPane) only(m *Model) {
	if o.view.Find == "" {
		m.say(theme.Muted, "there is no search yet: / finds, then & shows only matching lines")
		return
	}
	o.view.Only = !o.view.Only
}

func (o *outputPane) next(m *Model, back bool) {
	switch {
	case o.view.Find == "" && !back:
		m.open(newForm(m, nil)) // n means a new task where nothing is searched
	case !o.view.Next(m.log, back, o.height):
		m.say(theme.Muted, "no further match for "+o.view.Find)
	}
}

func (m *Model) drawOutput(w, h int, focus bool) []string {
	o := &m.output
	iw, ih := part.Inner(w, h)
	id := m.taskID()
	o.reset(id)
	foot := 0
	if ih >= 8 {
		foot = 1
	}
	o.height, o.width = max(1, ih-foot), iw
	box := part.Box{Title: "Output", Focus: focus}
	if m.top() == DeepOutput {
		box.Title = "Output of " + id.String()
		if t := m.current(); t != nil { // how it stands goes before what it is
			_, state := m.stateLook(t)
			box.Title += "  " + state
			if room := w - 14 - part.Width(box.Title) - part.Width(m.outputRemark()); room >= 12 {
				box.Title += "  $ " + strings.TrimRight(part.Fit(part.Clean(m.commandLine(&t.Spec)), room), " ")
			}
		}
	}
	if id == 0 || m.logID != id {
		return box.Draw(m.s, w, h, part.Tall(nil, iw, ih))
	}
	lines := o.view.Draw(m.s, m.log, iw, o.height)
	st := m.log.Stats()
	first, last, total := o.view.Range(m.log, o.height)
	if total == 0 {
		lines = m.noOutput(iw, o.height)
	}
	if foot > 0 && total > 0 {
		lines = append(lines, m.outputFoot(iw, first, last, total, st))
	}
	box.Remark = m.outputRemark()
	box.Scroll = part.Scroll{First: max(0, first-1), Shown: o.height, Total: total}
	return box.Draw(m.s, w, h, lines)
}

func (m *Model) outputRemark() string {
	v := &m.output.view
	remark := []string{"stdout+stderr", "stdout only", "stderr only"}[v.Stream]
	if v.Wrap {
		remark += "  wrap on"
	}
	if v.Find != "" {
		remark += fmt.Sprintf("  / %s: %s", v.Find, part.Plural(v.Matches(), "line"))
		if v.Only {
			remark += " only"
		}
	}
	if v.Follow {
		return remark + "  follow ON"
	}
	return remark + "  follow off"
}

// outputFoot says which lines are shown, and of which: never of more than what
// was read.
func (m *Model) outputFoot(w, first, last, total int, st part.LogStats) string {
	l := part.NewLine(m.s, w).Sp(1)
	rows := fmt.Sprintf("lines %s-%s of %s", part.Count(first), part.Count(last), part.Count(total))
	if st.Skipped > 0 {
		rows = fmt.Sprintf("lines %s-%s of the last %s", part.Count(first), part.Count(last), part.Count(total))
	}
	l.T(theme.Muted, rows+"  "+part.Bytes(st.Bytes))
	for _, gap := range m.outputGaps(st) {
		l.Sp(2).T(theme.Warn, gap)
	}
	if st.Skipped > 0 || st.Lost > 0 {
		l.T(theme.Muted, ", "+m.keys.Of(InOutput, "write")+" saves all")
	}
	return l.String()
}

// outputGaps says what is missing of what the task wrote.
func (m *Model) outputGaps(st part.LogStats) (gaps []string) {
	if st.Skipped > 0 {
		gaps = append(gaps, "earlier lines are not loaded")
	}
	if st.Lost > 0 {
		gaps = append(gaps, part.Bytes(st.Lost)+" skipped on the way")
	}
	if st.Fault != "" {
		gaps = append(gaps, "what follows cannot be reached: "+st.Fault)
	}
	return gaps
}

func (m *Model) noOutput(w, h int) []string {
	tok, text := m.emptyWords(m.current(), m.log.Stats())
	return part.Tall(m.indented(w, tok, text), w, h)
}

// indented is text behind three blanks.
func (m *Model) indented(w int, tok theme.Token, text string) (out []string) {
	for _, line := range m.text(max(0, w-3), tok, text) {
		out = append(out, part.NewLine(m.s, w).Sp(3).Raw(line).String())
	}
	return out
}

// emptyWords says why no output is shown. That a task wrote nothing is said
// only where that is known.
func (m *Model) emptyWords(t *task.Task, st part.LogStats) (theme.Token, string) {
	switch {
	case st.Fault != "":
		return theme.Warn, m.s.Glyphs.Stale + " Its output cannot be reached: " + st.Fault + m.outputPlace(t)
	case st.Lines > 0 && (m.output.view.Only || m.output.view.Stream != 0):
		return theme.Muted, "Nothing of what it wrote is in this view. o changes the stream, esc ends the search."
	case t == nil:
		return theme.Muted, m.s.Glyphs.Ellipsis
	case t.State == task.Queued || t.State == task.Retry:
		return theme.Muted, "It waits. w says why."
	case t.State == task.Assigned:
		return theme.Muted, "It is about to start."
	case !t.State.Terminal():
		return theme.Muted, "No output yet."
	case !st.Ended:
		return theme.Muted, m.s.Glyphs.Ellipsis
	}
	if a := t.Last(); a != nil && (a.Output.Bytes > 0 || t.State == task.Lost && a.Started > 0) {
		return theme.Warn, m.s.Glyphs.Stale + " Nothing of its output is here." + m.outputPlace(t)
	}
	return theme.Muted, "It wrote nothing."
}

// outputPlace is how much a task wrote and on which node that was.
func (m *Model) outputPlace(t *task.Task) string {
	if t == nil || t.Last() == nil {
		return ""
	}
	a := t.Last()
	node := m.view().NodeName(a.Node)
	if n := m.view().Node(a.Node); n != nil && n.State == control.NodeLost {
		node += ", which is lost"
	}
	if a.Output.Bytes > 0 {
		return " It wrote " + part.Bytes(a.Output.Bytes) + " on " + node + "."
	}
	return " What it wrote, if anything, was written on " + node + "."
}

// runningAt is the task under the cursor of the running pane.
func (m *Model) runningAt() *task.Task {
	list := m.view().Running
	if len(list) == 0 {
		return nil
	}
	m.running = min(max(0, m.running), len(list)-1)
	return &list[m.running]
}

func (m *Model) runningAct(action string) {
	switch action {
	case "down":
		m.running++
	case "up":
		m.running--
	case "first":
		m.running = 0
	case "last":
		m.running = 1 << 20
	case "open":
		if t := m.runningAt(); t != nil {
			m.output.pin(t.ID)
			m.push(DeepTask)
		}
	}
	m.runningAt()
}

func (m *Model) drawRunning(w, h int, focus bool) []string {
	iw, ih := part.Inner(w, h)
	cols := []part.Column{
		{Title: "ID", Width: 7},
		{Title: "NODE", Width: 12},
		{Title: "TIME", Width: 6, Right: true},
		{Title: "CPU", Width: 5, Right: true, Drop: 2},
		{Title: "MEM", Width: 5, Right: true, Drop: 1},
		{Title: "NAME", Width: 10, Drop: 3},
		{Title: "COMMAND", Width: 20, Flex: true},
	}
	if !slices.ContainsFunc(m.view().Running, func(t task.Task) bool { return t.Spec.Name != "" }) {
		cols[5] = part.Column{Drop: 9}
	}
	ws := part.FitColumns(cols, iw-3, 2)
	lines := []string{part.Header(part.NewLine(m.s, iw).Sp(3), cols, ws, 2).String()}
	current := m.runningAt()
	for i := range m.view().Running {
		t := &m.view().Running[i]
		if len(lines) >= ih {
			break
		}
		lines = append(lines, m.runningRow(t, ws, iw, t == current, focus))
	}
	if current == nil {
		lines = append(lines, part.NewLine(m.s, iw).Sp(3).T(theme.Muted, "Nothing runs. n makes a task.").String())
	}
	return part.Box{Title: "Running now", Remark: part.Count(m.count(task.Running)), Focus: focus}.Draw(m.s, w, h, lines)
}

func (m *Model) runningRow(t *task.Task, ws []int, w int, cursor, focus bool) string {
	l := part.NewLine(m.s, w)
	_, marked := m.tasks.marks[t.ID]
	m.gutter(l, cursor && focus, marked, focus)
	run := taskTimes(t, m.now())
	node := "-"
	if a := t.Last(); a != nil {
		node = m.view().NodeName(a.Node)
	}
	tok := theme.Text
	if m.dimmed() {
		tok = theme.Muted
	}
	cpu, mem, _ := usageOf(t)
	texts := []string{t.ID.String(), node, run, cpu, mem, t.Spec.Name, m.commandLine(&t.Spec)}
	toks := []theme.Token{theme.Run, tok, tok, tok, tok, theme.Muted, tok}
	m.drawCells(l, ws, len(texts), func(i int) (theme.Token, string, bool) { return toks[i], texts[i], i >= 2 && i <= 4 })
	if cursor && focus {
		return m.s.Row(l.String())
	}
	return l.String()
}
