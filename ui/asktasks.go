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

// askTasks reads the wanted window when it may have changed.
func (c *Collector) askTasks(ctx context.Context, want scene.Want, now time.Time, s *scene.Snapshot) {
	c.mu.Lock()
	moved := c.tasksMove || !c.stream
	c.tasksMove = false
	c.mu.Unlock()
	same := reflect.DeepEqual(want.Tasks, c.lastWant.Tasks) && want.Running == c.lastWant.Running && s.Rows.Done
	if same && !moved && now.Sub(c.listedAt) < time.Second && !c.find.working() {
		return
	}
	c.listedAt = now
	switch {
	case want.Tasks.Above+want.Tasks.Below == 0:
		c.find = nil
	case searches(want.Tasks):
		s.Rows = c.search(ctx, want.Tasks)
	default:
		c.find, s.Rows = nil, c.window(ctx, want.Tasks)
	}
	s.Running = nil
	if want.Running > 0 {
		if p, err := c.ctl.List(ctx, control.Query{States: []task.State{task.Running, task.Assigned}, Limit: want.Running}); err == nil {
			s.Running = p.Tasks
		}
	}
}

// window reads the rows around an anchor, where an index answers.
func (c *Collector) window(ctx context.Context, w scene.TaskWant) scene.Rows {
	r := scene.Rows{For: w, First: -1, Total: -1, Done: true}
	page := func(reverse bool, after task.ID, limit int) []task.Task {
		if limit <= 0 || r.Err != "" {
			return nil
		}
		q := w.Query
		q.After, q.Limit = after, limit
		if reverse {
			q.Oldest = !q.Oldest
		}
		p, err := c.ctl.List(ctx, q)
		if err != nil {
			r.Err = err.Error()
			return nil
		}
		r.Total = p.Total
		if reverse {
			slices.Reverse(p.Tasks)
		}
		return p.Tasks
	}
	switch {
	case w.End:
		r.Tasks = page(true, 0, w.Above)
		if r.Total >= 0 {
			r.First = r.Total - len(r.Tasks)
		}
	case w.Anchor == 0:
		r.Tasks = page(false, 0, w.Below)
		r.First = 0
	default:
		above := page(true, w.Anchor, w.Above)
		from := w.Anchor + 1 // so that the anchor itself comes first
		if w.Query.Oldest {
			from = w.Anchor - 1
		}
		r.Tasks = append(above, page(false, from, w.Below+1)...)
		if len(above) < w.Above {
			r.First = 0
		} else if plain(w.Query) && len(r.Tasks) > 0 && r.Total >= 0 { // numbers are consecutive
			r.First = r.Total - int(r.Tasks[0].ID)
			if w.Query.Oldest {
				r.First = int(r.Tasks[0].ID) - 1
			}
			r.First = min(max(0, r.First), max(0, r.Total-len(r.Tasks)))
		}
	}
	return r
}

// plain reports that a query selects all tasks.
func plain(q control.Query) bool {
	return len(q.IDs)+len(q.States)+len(q.Nodes)+len(q.Tags) == 0 && q.Text == "" && q.Since == 0
}

// askOne reads the task in the detail pane and the answer to "why".
func (c *Collector) askOne(ctx context.Context, want scene.Want, s *scene.Snapshot) {
	s.TaskErr = ""
	if want.Task == 0 {
		s.Task = nil
	} else if t, err := c.ctl.Get(ctx, want.Task); err != nil {
		s.Task, s.TaskErr = nil, err.Error()
	} else {
		s.Task = &t
	}
	s.WhyErr = ""
	if want.Why == 0 {
		s.Why = nil
	} else if w, err := c.ctl.Why(ctx, want.Why); err != nil {
		s.Why, s.WhyErr = nil, err.Error()
	} else {
		s.Why = &w
	}
}
