package scene

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
	Filter   string // as typed
	query    control.Query
	Problems bool
	Oldest   bool

	Cursor task.ID // 0 stays on the first row
	End    bool    // the person jumped to the end
	Offset int     // rows between the top of the pane and the cursor
	Index  int     // how many rows are before the cursor, as far as known
	Height int     // rows of the pane when last drawn
	Skip   int     // cells scrolled sideways

	Marks   map[task.ID]task.State
	All     bool    // everything the filter shows is marked
	Ranging task.ID // where a range began; 0 none
}

// problemStates is what "only problems" shows.
var problemStates = []task.State{task.Failed, task.Timeout, task.Lost, task.Retry}

// Want is the window around the cursor for a pane of h rows.
func (l *TaskList) Want(h int) TaskWant {
	h = max(h, 1)
	q := l.query
	q.Oldest = l.Oldest
	if l.Problems && len(q.States) == 0 {
		q.States = problemStates
	}
	if l.End {
		return TaskWant{Query: q, End: true, Above: 2 * h}
	}
	if l.Cursor == 0 {
		return TaskWant{Query: q, Below: 2 * h}
	}
	return TaskWant{Query: q, Anchor: l.Cursor, Above: 2 * h, Below: 2 * h}
}

// order compares two ids as the list is sorted.
func (l *TaskList) order(a, b task.ID) int {
	if l.Oldest {
		return cmp.Compare(a, b)
	}
	return cmp.Compare(b, a)
}

// Find is the index of the cursor's row, or of the one that took its place.
func (l *TaskList) Find(rows []task.Task) int {
	if l.End && len(rows) > 0 {
		return len(rows) - 1
	}
	if l.Cursor == 0 || len(rows) == 0 {
		return 0
	}
	i, _ := slices.BinarySearchFunc(rows, l.Cursor, func(t task.Task, id task.ID) int { return l.order(t.ID, id) })
	return min(i, len(rows)-1)
}

// At is the task under the cursor.
func (l *TaskList) At(s *Snapshot) *task.Task {
	rows := s.Rows.Tasks
	if len(rows) == 0 {
		return nil
	}
	return &rows[l.Find(rows)]
}

// Keep follows marks through their states and lets a jump to the end land.
func (l *TaskList) Keep(s *Snapshot) {
	for i := range s.Rows.Tasks {
		t := &s.Rows.Tasks[i]
		if _, ok := l.Marks[t.ID]; ok {
			l.Marks[t.ID] = t.State
		}
	}
	if l.End && s.Rows.For.End && len(s.Rows.Tasks) > 0 {
		last := s.Rows.Tasks[len(s.Rows.Tasks)-1]
		l.Cursor, l.End = last.ID, false
		l.Offset, l.Index = 1<<20, max(0, s.Rows.Total-1)
	}
}

// Move goes n rows down, or up when n is negative.
func (l *TaskList) Move(view *Scene, n int) {
	rows := view.Facts().Rows.Tasks
	if len(rows) == 0 {
		return
	}
	i := l.Find(rows)
	j := min(max(0, i+n), len(rows)-1)
	l.Offset = min(max(0, l.Offset+j-i), max(0, l.Height-1))
	l.Index = max(0, l.Index+j-i)
	l.Cursor = rows[j].ID
	if j == 0 && view.Facts().Rows.For.Anchor == 0 || j == 0 && view.Facts().Rows.First == 0 {
		l.Cursor, l.Offset, l.Index = 0, 0, 0
	}
	if l.Ranging != 0 {
		l.markRange(rows, rows[j].ID)
	}
}

func (l *TaskList) markRange(rows []task.Task, to task.ID) {
	lo, hi := min(l.Ranging, to), max(l.Ranging, to)
	for i := range rows {
		if id := rows[i].ID; id >= lo && id <= hi {
			l.Marks[id] = rows[i].State
		}
	}
}

// Reset goes back to the first row, as after a new filter.
func (l *TaskList) Reset() {
	l.Cursor, l.Offset, l.Index, l.End, l.Skip, l.Ranging = 0, 0, 0, false, 0, 0
}

// Back ends a range or the mark of all, clears the filter, then the marks; false
// if there was none of them.
func (l *TaskList) Back() bool {
	switch {
	case l.Ranging != 0:
		l.Ranging = 0
	case l.All: // before the filter that says what all is
		l.All = false
	case l.Filter != "" || l.Problems:
		l.Filter, l.query, l.Problems = "", control.Query{}, false
		l.Reset()
	case len(l.Marks) > 0:
		clear(l.Marks)
	default:
		return false
	}
	return true
}

// Partial reports that more rows exist after the fetched ones.
func (r *Rows) Partial() bool {
	return r.For.Below > 0 && len(r.Tasks) >= r.For.Below
}

// Position is how many rows are before the first drawn one.
func (l *TaskList) Position(s *Snapshot, first, cursor int) int {
	if s.Rows.First >= 0 {
		return s.Rows.First + first
	}
	return max(0, l.Index-(cursor-first))
}

// SumTasks is how many tasks the cluster knows, in all states.
func SumTasks(s *Snapshot) (n int) {
	for _, k := range s.Status.Tasks {
		n += k
	}
	return n
}

// SetFilter shows only the tasks that match; it is an error if the text is none.
func (l *TaskList) SetFilter(text string, now time.Time) error {
	query, err := ParseFilter(text, now)
	if err != nil {
		return err
	}
	if text != l.Filter {
		l.Reset()
		l.All = false
	}
	l.Filter, l.query = text, query
	return nil
}
