package pane

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// MarkedWords counts the marked tasks by state.
func MarkedWords(view *scene.Scene) string {
	if view.Tasks.All {
		return "all " + scene.ShownTotal(view.Facts().Rows.Total, "task") + " marked.  x cancels what has not ended, esc clears"
	}
	counts := map[task.State]int{}
	for _, s := range view.Tasks.Marks {
		counts[s]++
	}
	var parts []string
	for _, s := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
	}
	return fmt.Sprintf("%d marked: %s.  x cancels what has not ended, esc clears", len(view.Tasks.Marks), strings.Join(parts, ", "))
}

// Tasks is the list of all tasks.
type Tasks struct{}

// Act moves the cursor, marks and sorts.
func (*Tasks) Act(view *scene.Scene, action scene.Action) {
	l := &view.Tasks
	page := max(1, l.Height/2)
	switch action {
	case "down":
		l.Move(view, 1)
	case "up":
		l.Move(view, -1)
	case "page.down":
		l.Move(view, page)
	case "page.up":
		l.Move(view, -page)
	case "first":
		l.Cursor, l.Offset, l.Index, l.End = 0, 0, 0, false
	case "last":
		l.End = true
	case "left":
		l.Skip = max(0, l.Skip-8)
	case "right":
		l.Skip = min(l.Skip+8, 4096)
	case "open":
		if t := l.At(view.Facts()); t != nil {
			view.OpenTask(t.ID, scene.DeepTask)
		}
	case "mark":
		toggleMark(view)
	case "mark.range":
		startRange(view)
	case "mark.all":
		l.All, l.Marks = true, map[task.ID]task.State{}
		view.Say(theme.Text, fmt.Sprintf("all %s are marked", scene.ShownTotal(view.Facts().Rows.Total, "task")))
	case "problems":
		l.Problems, l.All = !l.Problems, false // all was what the list showed before
		l.Reset()
	case "sort":
		l.Oldest = !l.Oldest
		l.Reset()
	}
}

func toggleMark(view *scene.Scene) {
	l := &view.Tasks
	t := l.At(view.Facts())
	if t == nil {
		return
	}
	l.All = false
	if _, ok := l.Marks[t.ID]; ok {
		delete(l.Marks, t.ID)
	} else {
		l.Marks[t.ID] = t.State
	}
	l.Move(view, 1)
}

func startRange(view *scene.Scene) {
	l := &view.Tasks
	if l.Ranging != 0 {
		l.Ranging = 0
		return
	}
	if t := l.At(view.Facts()); t != nil {
		l.Ranging, l.All = t.ID, false
		l.Marks[t.ID] = t.State
		l.Cursor = t.ID
		view.Say(theme.Text, "move to mark a range, v ends it")
	}
}

// Click moves the cursor to a drawn row.
func (*Tasks) Click(view *scene.Scene, row int) {
	l := &view.Tasks
	rows := view.Facts().Rows.Tasks
	i := l.Find(rows) - l.Offset + row
	if i >= 0 && i < len(rows) {
		l.Move(view, i-l.Find(rows))
	}
}

// taskColumns is the columns of the list in a pane of w cells.
func taskColumns(s *theme.Styles, w int) []part.Column {
	state := 12 // failed:137, timeout and cancelled with their marks
	if s.Glyphs.ASCII {
		state = 13
	}
	cols := []part.Column{
		{Title: "ID", Width: 7},
		{Title: "STATE", Width: state},
		{Title: "NODE", Width: 10, Drop: 2},
		{Title: "AGE", Width: 4, Right: true, Drop: 3},
		{Title: "TIME", Width: 6, Right: true, Drop: 1},
		{Title: "COMMAND", Width: 20, Flex: true},
	}
	if w >= 100 {
		cols[2].Width = 14
		use := []part.Column{{Title: "CPU", Width: 5, Right: true, Drop: 5}, {Title: "MEM", Width: 5, Right: true, Drop: 4}}
		cols = slices.Insert(cols, 5, use...)
	}
	return cols
}

// Back ends a range, clears the filter, then the marks.
func (*Tasks) Back(view *scene.Scene) bool { return view.Tasks.Back() }

// Filter is what the tasks are filtered by.
func (*Tasks) Filter(view *scene.Scene) string { return view.Tasks.Filter }

// SetFilter shows only the tasks that match.
func (*Tasks) SetFilter(view *scene.Scene, text string) error {
	return view.Tasks.SetFilter(text, view.Now())
}

// Found counts the matching tasks.
func (*Tasks) Found(view *scene.Scene) string {
	if view.Facts().Rows.Total < 0 {
		return ""
	}
	return part.Count(view.Facts().Rows.Total) + " of " + part.Count(scene.SumTasks(view.Facts()))
}

// Syntax is what a filter may say.
func (*Tasks) Syntax() string {
	return "words in the command, state=failed node=mill-02 tag=ci id=1042 since=10m"
}

// Draw draws the list in exactly w by h cells, border included.
func (*Tasks) Draw(view *scene.Scene, w, h int, focus bool) []string {
	l, s := &view.Tasks, view.Facts()
	iw, ih := part.Inner(w, h)
	l.Height = max(0, ih-1)
	cols := taskColumns(view.Styles, iw)
	ws := part.FitColumns(cols, iw-3, 2)
	lines := []string{part.Header(part.NewLine(view.Styles, iw).Sp(3), cols, ws, 2).String()}
	rows := s.Rows.Tasks
	i := l.Find(rows)
	l.Offset = min(l.Offset, max(0, l.Height-1), i)
	if rest := len(rows) - i - 1; !s.Rows.Partial() && l.Height-l.Offset-1 > rest { // fill the pane at the end
		l.Offset = min(i, l.Height-1-rest)
	}
	first := max(0, i-l.Offset)
	for j := first; j < len(rows) && len(lines) < ih; j++ {
		lines = append(lines, taskRow(view, &rows[j], ws, iw, j == i, focus))
	}
	if len(rows) == 0 {
		lines = append(lines, noTasks(view, iw)...)
	}
	pos := l.Position(s, first, i)
	box := part.Box{
		Title: "Tasks", Remark: tasksRemark(view, pos, min(len(rows)-first, l.Height)), Focus: focus,
		Scroll: part.Scroll{First: pos, Shown: l.Height, Total: s.Rows.Total},
	}
	if l.Oldest {
		box.Foot = "oldest first"
	}
	return box.Draw(view.Styles, w, h, lines)
}

func tasksRemark(view *scene.Scene, pos, shown int) string {
	s := view.Facts()
	if s.Rows.Err != "" {
		return s.Rows.Err
	}
	if s.Rows.Working {
		return fmt.Sprintf("%s so far, searched %s of %s", part.Count(len(s.Rows.Tasks)), part.Count(s.Rows.Searched), part.Count(scene.SumTasks(s)))
	}
	if shown <= 0 {
		return ""
	}
	total := "many"
	if s.Rows.Total >= 0 {
		total = part.Count(s.Rows.Total)
	}
	return fmt.Sprintf("rows %s-%s of %s", part.Count(pos+1), part.Count(pos+shown), total)
}

func noTasks(view *scene.Scene, w int) []string {
	l, s := &view.Tasks, view.Facts()
	text := "No tasks yet. n makes one."
	switch {
	case !s.Rows.Done:
		text = "…"
	case s.Rows.Working:
		text = "None yet: searched " + part.Count(s.Rows.Searched) + " of " + part.Count(scene.SumTasks(s)) + ". esc stops."
	case l.Filter != "" || l.Problems:
		text = "0 of " + part.Count(scene.SumTasks(s)) + " match. esc clears the filter."
		if l.Problems && l.Filter == "" {
			text = "No problems. esc shows all tasks."
		}
	}
	return []string{part.NewLine(view.Styles, w).String(), part.NewLine(view.Styles, w).Sp(3).T(theme.Muted, text).String()}
}

type taskCell struct {
	tok  theme.Token
	text string
	r    bool
}

// taskRow draws one task.
func taskRow(view *scene.Scene, t *task.Task, ws []int, w int, cursor, focus bool) string {
	l := part.NewLine(view.Styles, w)
	_, marked := view.Tasks.Marks[t.ID]
	marked = marked || view.Tasks.All
	gutter(view, l, cursor, marked, focus)
	dim := view.Dimmed()
	tok, mark := scene.StateLook(view, t)
	tone := func(k theme.Token) theme.Token {
		if dim {
			return theme.Muted
		}
		return k
	}
	run := scene.TaskTimes(t, view.Now())
	node := "-"
	if a := t.Last(); a != nil && a.Node != "" {
		node = view.Facts().NodeName(a.Node)
	}
	cells := []taskCell{
		{tone(theme.Text), t.ID.String(), false},
		{tone(tok), mark, false},
		{tone(theme.Text), node, false},
		{theme.Muted, part.Age(view.Now().Sub(time.UnixMilli(t.Submitted))), true},
		{tone(theme.Text), run, true},
		{tone(theme.Text), scene.Sideways(scene.CommandLine(view, &t.Spec), view.Tasks.Skip), false},
	}
	if len(ws) > len(cells) {
		cpu, mem, live := scene.UsageOf(t)
		tok := theme.Muted
		if live {
			tok = tone(theme.Text)
		}
		cells = slices.Insert(cells, 5, taskCell{tok, cpu, true}, taskCell{tok, mem, true})
	}
	drawCells(l, ws, len(cells), func(i int) (theme.Token, string, bool) { return cells[i].tok, cells[i].text, cells[i].r })
	if cursor && focus {
		return view.Styles.Row(l.String())
	}
	return l.String()
}

func drawCells(l *part.Line, ws []int, n int, cell func(int) (theme.Token, string, bool)) {
	first := true
	for i := 0; i < n; i++ {
		if ws[i] == 0 {
			continue
		}
		if !first {
			l.Sp(2)
		}
		first = false
		tok, text, right := cell(i)
		l.Cell(tok, text, ws[i], right)
	}
}

// gutter draws the cursor and the mark before a row.
func gutter(view *scene.Scene, l *part.Line, cursor, marked, focus bool) {
	switch {
	case cursor && focus:
		l.B(theme.Focus, view.Styles.Glyphs.Cursor)
	case cursor:
		l.T(theme.Muted, view.Styles.Glyphs.Cursor)
	default:
		l.Sp(1)
	}
	if marked {
		l.Rev(theme.Text, view.Styles.Glyphs.Mark)
	} else {
		l.Sp(1)
	}
	l.Sp(1)
}
