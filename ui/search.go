package ui

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// A filter on words has no index: the dispatcher looks into one task after the
// other, a slice for each question, and the rows come as they are found.
const (
	searchRound = 40 * time.Millisecond // of one snapshot
	searchSmall = 50_000                // tasks that are looked through again each time
	searchAgain = 50                    // times what it took is how long a large one is good for
)

// search is the rows around an anchor for a query that no index answers.
type search struct {
	want   scene.TaskWant
	runs   []searchRun // those above the anchor, then those from it on
	newest task.ID     // when it began
	total  int         // as the dispatcher counted; -1 if it did not
	took   time.Duration
	ended  time.Time // by the computer's clock; zero while it works
	err    string
}

// searchRun is one direction of a search.
type searchRun struct {
	query control.Query // After moves on
	limit int
	up    bool // towards the rows above the anchor
	tasks []task.Task
	done  bool
}

// searches reports that a window cannot be answered by an index.
func searches(w scene.TaskWant) bool {
	q := &w.Query
	return q.Text != "" || len(q.Nodes)+len(q.Tags) > 0 || q.Since > 0
}

func newSearch(w scene.TaskWant) *search {
	f := &search{want: w, total: -1}
	run := func(up bool, after task.ID, limit int) {
		q := w.Query
		q.After = after
		if up {
			q.Oldest = !q.Oldest
		}
		if limit > 0 {
			f.runs = append(f.runs, searchRun{query: q, limit: limit, up: up})
		}
	}
	switch {
	case w.End:
		run(true, 0, w.Above)
	case w.Anchor == 0:
		run(false, 0, w.Below)
	case w.Query.Oldest:
		run(true, w.Anchor, w.Above)
		run(false, w.Anchor-1, w.Below+1)
	default:
		run(true, w.Anchor, w.Above)
		run(false, w.Anchor+1, w.Below+1)
	}
	return f
}

func (f *search) working() bool { return f != nil && f.ended.IsZero() }

// search begins a search, goes on with it, or brings what it found up to date.
func (c *Collector) search(ctx context.Context, w scene.TaskWant) scene.Rows {
	f := c.find
	same := f != nil && f.err == "" && reflect.DeepEqual(f.want, w)
	switch {
	case same && f.working():
	case same && f.large() && time.Since(f.ended) < searchAgain*f.took:
		c.refresh(ctx, f)
		return f.rows()
	default:
		f = newSearch(w)
		if p, err := c.ctl.List(ctx, control.Query{Limit: 1}); err == nil && len(p.Tasks) > 0 {
			f.newest = p.Tasks[0].ID
		}
		c.find = f
	}
	begin := time.Now()
	for i := range f.runs {
		for r := &f.runs[i]; !r.done && f.err == "" && time.Since(begin) < searchRound; {
			f.step(ctx, c.ctl, r)
		}
	}
	f.took += time.Since(begin)
	if f.err != "" || !slices.ContainsFunc(f.runs, func(r searchRun) bool { return !r.done }) {
		f.ended = time.Now()
	}
	return f.rows()
}

// step asks for one slice.
func (f *search) step(ctx context.Context, ctl control.Tasks, r *searchRun) {
	q := r.query
	q.Limit = r.limit - len(r.tasks)
	p, err := ctl.List(ctx, q)
	if err != nil {
		f.err = err.Error()
		return
	}
	f.total = p.Total
	r.tasks = append(r.tasks, p.Tasks...)
	next := p.Onward()
	r.done = next == 0 || len(r.tasks) >= r.limit
	r.query.After = next
	if next == 0 {
		r.query.After = f.end(r)
	}
}

// end is the number at which a run has seen everything.
func (f *search) end(r *searchRun) task.ID {
	if r.query.Oldest {
		return f.newest
	}
	return 1
}

// looked is about how many tasks were looked into.
func (f *search) looked() (n int) {
	for i := range f.runs {
		r := &f.runs[i]
		from := f.want.Anchor
		if from == 0 && !r.query.Oldest {
			from = f.newest
		}
		n += int(max(from, r.query.After) - min(from, r.query.After))
	}
	return n
}

func (f *search) large() bool { return f.looked() > searchSmall }

// refresh reads the found tasks again, and the ones that came since.
func (c *Collector) refresh(ctx context.Context, f *search) {
	for i := range f.runs {
		r := &f.runs[i]
		fresh := make(map[task.ID]*task.Task, len(r.tasks))
		if len(r.tasks) > 0 {
			ids := make([]task.ID, len(r.tasks))
			for k := range r.tasks {
				ids[k] = r.tasks[k].ID
			}
			p, err := c.ctl.List(ctx, control.Query{IDs: ids, Limit: len(ids)})
			if err != nil {
				f.err = err.Error()
				return
			}
			for k := range p.Tasks {
				fresh[p.Tasks[k].ID] = &p.Tasks[k]
			}
		}
		now := make([]task.Task, 0, len(r.tasks)) // the old ones belong to a snapshot
		for k := range r.tasks {
			if t := fresh[r.tasks[k].ID]; t != nil && hasState(f.want.Query.States, t.State) {
				now = append(now, *t)
			}
		}
		r.tasks = now
	}
	if f.want.Anchor != 0 || f.want.End || f.want.Query.Oldest || f.newest == 0 {
		return
	}
	q := f.want.Query
	q.Oldest, q.After, q.Limit = true, f.newest, 1000
	p, err := c.ctl.List(ctx, q)
	if err != nil {
		f.err = err.Error()
		return
	}
	if n := len(p.Tasks); n > 0 {
		f.newest = p.Tasks[n-1].ID
		slices.Reverse(p.Tasks)
		r := &f.runs[0]
		r.tasks = append(p.Tasks, r.tasks...)
		r.tasks = r.tasks[:min(len(r.tasks), r.limit)]
	}
}

func hasState(list []task.State, st task.State) bool {
	return len(list) == 0 || slices.Contains(list, st)
}

// rows is what was found so far, in the order of the list.
func (f *search) rows() scene.Rows {
	r := scene.Rows{For: f.want, First: -1, Total: f.total, Err: f.err, Done: true, Working: f.working()}
	all := true // everything that matches is here
	for i := range f.runs {
		run := &f.runs[i]
		list := run.tasks
		if run.up {
			list = slices.Clone(list)
			slices.Reverse(list)
		}
		r.Tasks = append(slices.Clip(r.Tasks), list...)
		all = all && run.done && len(run.tasks) < run.limit
	}
	if r.Working {
		r.Searched = f.looked()
	}
	if all && f.err == "" {
		r.Total = len(r.Tasks)
	}
	switch {
	case f.want.End:
		if r.Total >= 0 {
			r.First = r.Total - len(r.Tasks)
		}
	case f.want.Anchor == 0 || f.runs[0].up && f.runs[0].done && len(f.runs[0].tasks) < f.runs[0].limit:
		r.First = 0
	}
	return r
}
