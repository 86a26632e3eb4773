package screen

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
)

// taskList is the list of all tasks: which part of it, where the cursor is,
// what is marked. It holds ids, never rows: rows come with each snapshot.
type taskList struct {
	filter   string // as typed
	query    control.Query
	problems bool
	oldest   bool

	cursor task.ID // 0 stays on the first row
	end    bool    // the person jumped to the end
	offset int     // rows between the top of the pane and the cursor
	index  int     // how many rows are before the cursor, as far as known
	height int     // rows of the pane when last drawn
	skip   int     // cells scrolled sideways

	marks   map[task.ID]task.State
	all     bool    // everything the filter shows is marked
	ranging task.ID // where a range began; 0 none
}

// problemStates is what "only problems" shows.
var problemStates = []task.State{task.Failed, task.Timeout, task.Lost, task.Retry}

// want is the window around the cursor for a pane of h rows.
func (l *taskList) want(h int) TaskWant {
	h = max(h, 1)
	q := l.query
	q.Oldest = l.oldest
	if l.problems && len(q.States) == 0 {
		q.States = problemStates
	}
	if l.end {
		return TaskWant{Query: q, End: true, Above: 2 * h}
	}
	if l.cursor == 0 {
		return TaskWant{Query: q, Below: 2 * h}
	}
	return TaskWant{Query: q, Anchor: l.cursor, Above: 2 * h, Below: 2 * h}
}

// nodeTasks is the window for one node's own page.
func (m *Model) nodeTasks(h int) TaskWant {
	n := m.node()
	if n == nil {
		return TaskWant{}
	}
	return TaskWant{Query: control.Query{Nodes: []string{string(n.ID)}}, Below: max(h, 1)}
}

// order compares two ids as the list is sorted.
func (l *taskList) order(a, b task.ID) int {
	if l.oldest {
		return cmp.Compare(a, b)
	}
	return cmp.Compare(b, a)
}

// find is the index of the cursor's row, or of the one that took its place.
func (l *taskList) find(rows []task.Task) int {
	if l.end && len(rows) > 0 {
		return len(rows) - 1
	}
	if l.cursor == 0 || len(rows) == 0 {
		return 0
	}
	i, _ := slices.BinarySearchFunc(rows, l.cursor, func(t task.Task, id task.ID) int { return l.order(t.ID, id) })
	return min(i, len(rows)-1)
}

// at is the task under the cursor.
func (l *taskList) at(s *Snapshot) *task.Task {
	rows := s.Rows.Tasks
	if len(rows) == 0 {
		return nil
	}
	return &rows[l.find(rows)]
}

// keep follows marks through their states and lets a jump to the end land.
func (l *taskList) keep(s *Snapshot) {
	for i := range s.Rows.Tasks {
		t := &s.Rows.Tasks[i]
		if _, ok := l.marks[t.ID]; ok {
			l.marks[t.ID] = t.State
		}
	}
	if l.end && s.Rows.For.End && len(s.Rows.Tasks) > 0 {
		last := s.Rows.Tasks[len(s.Rows.Tasks)-1]
		l.cursor, l.end = last.ID, false
		l.offset, l.index = 1<<20, max(0, s.Rows.Total-1)
	}
}

// move goes n rows down, or up when n is negative.
func (l *taskList) move(m *Model, n int) {
	rows := m.view().Rows.Tasks
	if len(rows) == 0 {
		return
	}
	i := l.find(rows)
	j := min(max(0, i+n), len(rows)-1)
	l.offset = min(max(0, l.offset+j-i), max(0, l.height-1))
	l.index = max(0, l.index+j-i)
	l.cursor = rows[j].ID
	if j == 0 && m.view().Rows.For.Anchor == 0 || j == 0 && m.view().Rows.First == 0 {
		l.cursor, l.offset, l.index = 0, 0, 0
	}
	if l.ranging != 0 {
		l.markRange(rows, rows[j].ID)
	}
}

func (l *taskList) markRange(rows []task.Task, to task.ID) {
	lo, hi := min(l.ranging, to), max(l.ranging, to)
	for i := range rows {
		if id := rows[i].ID; id >= lo && id <= hi {
			l.marks[id] = rows[i].State
		}
	}
}

func (l *taskList) act(m *Model, action string) {
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
		l.cursor, l.offset, l.index, l.end = 0, 0, 0, false
	case "last":
		l.end = true
	case "left":
		l.skip = max(0, l.skip-8)
	case "right":
		l.skip = min(l.skip+8, 4096)
	case "open":
		if t := l.at(m.view()); t != nil {
			m.output.pin(t.ID)
			m.push(DeepTask)
		}
	case "mark":
		l.toggle(m)
	case "mark.range":
		l.startRange(m)
	case "mark.all":
		l.all, l.marks = true, map[task.ID]task.State{}
		m.say(theme.Text, fmt.Sprintf("all %s are marked", shownTotal(m.view().Rows.Total, "task")))
	case "problems":
		l.problems = !l.problems
		l.reset()
	case "sort":
		l.oldest = !l.oldest
		l.reset()
	}
}

// reset goes back to the first row, as after a new filter.
func (l *taskList) reset() {
	l.cursor, l.offset, l.index, l.end, l.skip, l.ranging = 0, 0, 0, false, 0, 0
}

func (l *taskList) toggle(m *Model) {
	t := l.at(m.view())
	if t == nil {
		return
	}
	l.all = false
	if _, ok := l.marks[t.ID]; ok {
		delete(l.marks, t.ID)
	} else {
		l.marks[t.ID] = t.State
	}
	l.move(m, 1)
}

func (l *taskList) startRange(m *Model) {
	if l.ranging != 0 {
		l.ranging = 0
		return
	}
	if t := l.at(m.view()); t != nil {
		l.ranging, l.all = t.ID, false
		l.marks[t.ID] = t.State
		l.cursor = t.ID
		m.say(theme.Text, "move to mark a range, v ends it")
	}
}

// back clears the filter, then the marks; false if there was neither.
func (l *taskList) back() bool {
	switch {
	case l.ranging != 0:
		l.ranging = 0
	case l.filter != "" || l.problems:
		l.filter, l.query, l.problems = "", control.Query{}, false
		l.reset()
	case len(l.marks) > 0 || l.all:
		clear(l.marks)
		l.all = false
	default:
		return false
	}
	return true
}

func (l *taskList) click(m *Model, row int) {
	rows := m.view().Rows.Tasks
	i := l.find(rows) - l.offset + row
	if i >= 0 && i < len(rows) {
		l.move(m, i-l.find(rows))
	}
}
