package screen

import (
	"fmt"
	"slices"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

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

// drawTasks draws the list in exactly w by h cells, border included.
func (m *Model) drawTasks(w, h int, focus bool) []string {
	l, s := &m.tasks, m.view()
	iw, ih := part.Inner(w, h)
	l.height = max(0, ih-1)
	cols := taskColumns(m.s, iw)
	ws := part.FitColumns(cols, iw-3, 2)
	lines := []string{part.Header(part.NewLine(m.s, iw).Sp(3), cols, ws, 2).String()}
	rows := s.Rows.Tasks
	i := l.find(rows)
	l.offset = min(l.offset, max(0, l.height-1), i)
	if rest := len(rows) - i - 1; !s.Rows.partial() && l.height-l.offset-1 > rest { // fill the pane at the end
		l.offset = min(i, l.height-1-rest)
	}
	first := max(0, i-l.offset)
	for j := first; j < len(rows) && len(lines) < ih; j++ {
		lines = append(lines, m.taskRow(&rows[j], ws, iw, j == i, focus))
	}
	if len(rows) == 0 {
		lines = append(lines, m.noTasks(iw)...)
	}
	pos := l.position(s, first, i)
	box := part.Box{
		Title: "Tasks", Remark: m.tasksRemark(pos, min(len(rows)-first, l.height)), Focus: focus,
		Scroll: part.Scroll{First: pos, Shown: l.height, Total: s.Rows.Total},
	}
	if l.oldest {
		box.Foot = "oldest first"
	}
	return box.Draw(m.s, w, h, lines)
}

// partial reports that more rows exist after the fetched ones.
func (r *Rows) partial() bool {
	return r.For.Below > 0 && len(r.Tasks) >= r.For.Below
}

// position is how many rows are before the first drawn one.
func (l *taskList) position(s *Snapshot, first, cursor int) int {
	if s.Rows.First >= 0 {
		return s.Rows.First + first
	}
	return max(0, l.index-(cursor-first))
}

func (m *Model) tasksRemark(pos, shown int) string {
	s := m.view()
	if s.Rows.Err != "" {
		return s.Rows.Err
	}
	if s.Rows.Working {
		return fmt.Sprintf("%s so far, searched %s of %s", part.Count(len(s.Rows.Tasks)), part.Count(s.Rows.Searched), part.Count(sumTasks(s)))
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

func (m *Model) noTasks(w int) []string {
	l, s := &m.tasks, m.view()
	text := "No tasks yet. n makes one."
	switch {
	case !s.Rows.Done:
		text = "…"
	case s.Rows.Working:
		text = "None yet: searched " + part.Count(s.Rows.Searched) + " of " + part.Count(sumTasks(s)) + ". esc stops."
	case l.filter != "" || l.problems:
		text = "0 of " + part.Count(sumTasks(s)) + " match. esc clears the filter."
		if l.problems && l.filter == "" {
			text = "No problems. esc shows all tasks."
		}
	}
	return []string{part.NewLine(m.s, w).String(), part.NewLine(m.s, w).Sp(3).T(theme.Muted, text).String()}
}

func sumTasks(s *Snapshot) (n int) {
	for _, k := range s.Status.Tasks {
		n += k
	}
	return n
}

type taskCell struct {
	tok  theme.Token
	text string
	r    bool
}

// usageOf is what a task uses now, or what it used: of one CPU in the mean, and
// the most memory.
func usageOf(t *task.Task) (cpu, mem string, live bool) {
	a := t.Last()
	if a == nil {
		return "-", "-", false
	}
	if v := a.Live; v != nil {
		return fmt.Sprintf("%.0f%%", v.CPUPercent), part.Bytes(v.MemoryMB << 20), true
	}
	cpu, mem = "-", "-"
	if ms := a.Ended - a.Started; a.Started > 0 && ms > 0 && a.Usage.CPU > 0 {
		cpu = fmt.Sprintf("%.0f%%", 100*float64(a.Usage.CPU.Milliseconds())/float64(ms))
	}
	if a.Usage.MaxRSS > 0 {
		mem = part.Bytes(a.Usage.MaxRSS)
	}
	return cpu, mem, false
}

// taskRow draws one task.
func (m *Model) taskRow(t *task.Task, ws []int, w int, cursor, focus bool) string {
	l := part.NewLine(m.s, w)
	_, marked := m.tasks.marks[t.ID]
	marked = marked || m.tasks.all
	m.gutter(l, cursor, marked, focus)
	dim := m.dimmed()
	tok, mark := m.stateLook(t)
	tone := func(k theme.Token) theme.Token {
		if dim {
			return theme.Muted
		}
		return k
	}
	run := taskTimes(t, m.now())
	node := "-"
	if a := t.Last(); a != nil && a.Node != "" {
		node = m.view().NodeName(a.Node)
	}
	cells := []taskCell{
		{tone(theme.Text), t.ID.String(), false},
		{tone(tok), mark, false},
		{tone(theme.Text), node, false},
		{theme.Muted, part.Age(m.now().Sub(time.UnixMilli(t.Submitted))), true},
		{tone(theme.Text), run, true},
		{tone(theme.Text), sideways(m.commandLine(&t.Spec), m.tasks.skip), false},
	}
	if len(ws) > len(cells) {
		cpu, mem, live := usageOf(t)
		tok := theme.Muted
		if live {
			tok = tone(theme.Text)
		}
		cells = slices.Insert(cells, 5, taskCell{tok, cpu, true}, taskCell{tok, mem, true})
	}
	m.drawCells(l, ws, len(cells), func(i int) (theme.Token, string, bool) { return cells[i].tok, cells[i].text, cells[i].r })
	if cursor && focus {
		return m.s.Row(l.String())
	}
	return l.String()
}

func (m *Model) drawCells(l *part.Line, ws []int, n int, cell func(int) (theme.Token, string, bool)) {
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
func (m *Model) gutter(l *part.Line, cursor, marked, focus bool) {
	switch {
	case cursor && focus:
		l.B(theme.Focus, m.s.Glyphs.Cursor)
	case cursor:
		l.T(theme.Muted, m.s.Glyphs.Cursor)
	default:
		l.Sp(1)
	}
	if marked {
		l.Rev(theme.Text, m.s.Glyphs.Mark)
	} else {
		l.Sp(1)
	}
	l.Sp(1)
}
