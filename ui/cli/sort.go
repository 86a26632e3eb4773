package cli

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// sortColumns are what ps can order by.
var sortColumns = []string{"id", "state", "node", "time", "exit", "priority", "command"}

// taskOrder compares tasks by a column; those that are equal there stand newest
// first. reverse turns it round.
func taskOrder(column string, reverse bool, now time.Time) (func(a, b *task.Task) int, error) {
	last := func(t *task.Task) task.Attempt {
		if a := t.Last(); a != nil {
			return *a
		}
		return task.Attempt{}
	}
	var by func(a, b *task.Task) int
	switch column {
	case "state":
		by = func(a, b *task.Task) int { return cmp.Compare(a.State, b.State) }
	case "node":
		by = func(a, b *task.Task) int { return cmp.Compare(last(a).Node, last(b).Node) }
	case "time":
		by = func(a, b *task.Task) int { return cmp.Compare(ranFor(b, now), ranFor(a, now)) }
	case "exit":
		by = func(a, b *task.Task) int { return cmp.Compare(last(a).Exit.Code, last(b).Exit.Code) }
	case "priority":
		by = func(a, b *task.Task) int { return cmp.Compare(b.Spec.Priority, a.Spec.Priority) }
	case "command":
		by = func(a, b *task.Task) int { return strings.Compare(commandText(&a.Spec), commandText(&b.Spec)) }
	default:
		e := task.Errorf(task.KindUsage, "--sort: %q is not a column", column)
		if near := text.Nearest(column, sortColumns); near != "" {
			return nil, e.WithHint("did you mean --sort %s?", near)
		}
		return nil, e.WithHint("columns: %s", strings.Join(sortColumns, ", "))
	}
	return func(a, b *task.Task) int {
		c := by(a, b)
		if reverse {
			c = -c
		}
		return cmp.Or(c, cmp.Compare(b.ID, a.ID))
	}, nil
}

// listSortedTasks reads everything that matches, orders it, and prints the first of
// it; limit 0 is all.
func listSortedTasks(env *environment, q control.Query, limit int, order func(a, b *task.Task) int) error {
	return env.ask(func(ctx context.Context, c *connection) error {
		q.Oldest = false
		var all []task.Task
		err := c.pages(env.ctx, q, 0, func(p control.Page) error {
			all = append(all, p.Tasks...)
			return nil
		})
		if err != nil {
			return err
		}
		slices.SortFunc(all, func(x, y task.Task) int { return order(&x, &y) })
		total := len(all)
		if limit > 0 && limit < total {
			all = all[:limit]
		}
		t, name := taskTable(), c.nodeName(ctx)
		for i := range all {
			if err := listTask(env, t, &all[i], name); err != nil {
				return err
			}
		}
		return endTaskList(env, t, len(all), total)
	})
}
