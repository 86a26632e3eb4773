package pane

import (
	"slices"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// Running is what runs now, newest first.
type Running struct{}

// Act moves the cursor, opens and marks.
func (*Running) Act(view *scene.Scene, action scene.Action) {
	switch action {
	case "down":
		view.Running++
	case "up":
		view.Running--
	case "first":
		view.Running = 0
	case "last":
		view.Running = 1 << 20
	case "mark":
		markRunning(view)
	case "open":
		if t := view.RunningTask(); t != nil {
			view.OpenTask(t.ID, scene.DeepTask)
		}
	}
	view.RunningTask()
}

// Back has nothing to undo.
func (*Running) Back(*scene.Scene) bool { return false }

// Click moves the cursor to a drawn row.
func (*Running) Click(view *scene.Scene, row int) { view.Running = row }

func markRunning(view *scene.Scene) {
	t := view.RunningTask()
	if t == nil {
		return
	}
	if _, ok := view.Tasks.Marks[t.ID]; ok {
		delete(view.Tasks.Marks, t.ID)
	} else {
		view.Tasks.Marks[t.ID] = t.State
	}
	view.Running++
	view.RunningTask()
}

// Draw draws the list.
func (*Running) Draw(view *scene.Scene, w, h int, focus bool) []string {
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
	if !slices.ContainsFunc(view.Facts().Running, func(t task.Task) bool { return t.Spec.Name != "" }) {
		cols[5] = part.Column{Drop: 9}
	}
	ws := part.FitColumns(cols, iw-3, 2)
	lines := []string{part.Header(part.NewLine(view.Styles, iw).Sp(3), cols, ws, 2).String()}
	current := view.RunningTask()
	for i := range view.Facts().Running {
		t := &view.Facts().Running[i]
		if len(lines) >= ih {
			break
		}
		lines = append(lines, runningRow(view, t, ws, iw, t == current, focus))
	}
	if current == nil {
		lines = append(lines, part.NewLine(view.Styles, iw).Sp(3).T(theme.Muted, "Nothing runs. n makes a task.").String())
	}
	return part.Box{Title: "Running now", Remark: part.Count(view.Facts().Count(task.Running)), Focus: focus}.Draw(view.Styles, w, h, lines)
}

func runningRow(view *scene.Scene, t *task.Task, ws []int, w int, cursor, focus bool) string {
	l := part.NewLine(view.Styles, w)
	_, marked := view.Tasks.Marks[t.ID]
	gutter(view, l, cursor && focus, marked, focus)
	run := scene.TaskTimes(t, view.Now())
	node := "-"
	if a := t.Last(); a != nil {
		node = view.Facts().NodeName(a.Node)
	}
	tok := theme.Text
	if view.Dimmed() {
		tok = theme.Muted
	}
	cpu, mem, _ := scene.UsageOf(t)
	texts := []string{t.ID.String(), node, run, cpu, mem, t.Spec.Name, scene.CommandLine(view, &t.Spec)}
	toks := []theme.Token{theme.Run, tok, tok, tok, tok, theme.Muted, tok}
	drawCells(l, ws, len(texts), func(i int) (theme.Token, string, bool) { return toks[i], texts[i], i >= 2 && i <= 4 })
	if cursor && focus {
		return view.Styles.Row(l.String())
	}
	return l.String()
}
