package screen

import (
	"cmp"
	"slices"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// TaskList is the list of all tasks: which part of it, where the cursor is,
// what is marked. It holds ids, never rows: rows come with each snapshot.
type TaskList struct {
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

	Marks   map[task.ID]task.State
	All     bool    // everything the filter shows is marked
	ranging task.ID // where a range began; 0 none
}

// problemStates is what "only problems" shows.
var problemStates = []task.State{task.Failed, task.Timeout, task.Lost, task.Retry}

// want is the window around the cursor for a pane of h rows.
func (l *TaskList) want(h int) TaskWant {
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

// order compares two ids as the list is sorted.
func (l *TaskList) order(a, b task.ID) int {
	if l.oldest {
		return cmp.Compare(a, b)
	}
	return cmp.Compare(b, a)
}

// find is the index of the cursor's row, or of the one that took its place.
func (l *TaskList) find(rows []task.Task) int {
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
func (l *TaskList) at(s *Snapshot) *task.Task {
	rows := s.Rows.Tasks
	if len(rows) == 0 {
		return nil
	}
	return &rows[l.find(rows)]
}

// keep follows marks through their states and lets a jump to the end land.
func (l *TaskList) keep(s *Snapshot) {
	for i := range s.Rows.Tasks {
		t := &s.Rows.Tasks[i]
		if _, ok := l.Marks[t.ID]; ok {
			l.Marks[t.ID] = t.State
		}
	}
	if l.end && s.Rows.For.End && len(s.Rows.Tasks) > 0 {
		last := s.Rows.Tasks[len(s.Rows.Tasks)-1]
		l.cursor, l.end = last.ID, false
		l.offset, l.index = 1<<20, max(0, s.Rows.Total-1)
	}
}

// move goes n rows down, or up when n is negative.
func (l *TaskList) move(view *Scene, n int) {
	rows := view.Facts().Rows.Tasks
	if len(rows) == 0 {
		return
	}
	i := l.find(rows)
	j := min(max(0, i+n), len(rows)-1)
	l.offset = min(max(0, l.offset+j-i), max(0, l.height-1))
	l.index = max(0, l.index+j-i)
	l.cursor = rows[j].ID
	if j == 0 && view.Facts().Rows.For.Anchor == 0 || j == 0 && view.Facts().Rows.First == 0 {
		l.cursor, l.offset, l.index = 0, 0, 0
	}
	if l.ranging != 0 {
		l.markRange(rows, rows[j].ID)
	}
}

func (l *TaskList) markRange(rows []task.Task, to task.ID) {
	lo, hi := min(l.ranging, to), max(l.ranging, to)
	for i := range rows {
		if id := rows[i].ID; id >= lo && id <= hi {
			l.Marks[id] = rows[i].State
		}
	}
}

// reset goes back to the first row, as after a new filter.
func (l *TaskList) reset() {
	l.cursor, l.offset, l.index, l.end, l.skip, l.ranging = 0, 0, 0, false, 0, 0
}

// back clears the filter, then the marks; false if there was neither.
func (l *TaskList) back() bool {
	switch {
	case l.ranging != 0:
		l.ranging = 0
	case l.filter != "" || l.problems:
		l.filter, l.query, l.problems = "", control.Query{}, false
		l.reset()
	case len(l.Marks) > 0 || l.All:
		clear(l.Marks)
		l.All = false
	default:
		return false
	}
	return true
}

// partial reports that more rows exist after the fetched ones.
func (r *Rows) partial() bool {
	return r.For.Below > 0 && len(r.Tasks) >= r.For.Below
}

// position is how many rows are before the first drawn one.
func (l *TaskList) position(s *Snapshot, first, cursor int) int {
	if s.Rows.First >= 0 {
		return s.Rows.First + first
	}
	return max(0, l.index-(cursor-first))
}

func sumTasks(s *Snapshot) (n int) {
	for _, k := range s.Status.Tasks {
		n += k
	}
	return n
}

// setFilter shows only the tasks that match; it is an error if the text is none.
func (l *TaskList) setFilter(text string, now time.Time) error {
	query, err := ParseFilter(text, now)
	if err != nil {
		return err
	}
	if text != l.filter {
		l.reset()
	}
	l.filter, l.query = text, query
	return nil
}
