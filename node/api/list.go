package api

import (
	"context"

	"github.com/adauldev/octaskly/node/access"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

type listInput struct {
	Status   string `query:"status" doc:"queued, running, completed, failed or cancelled"`
	State    string `query:"state" doc:"one of our states, which say more"`
	WorkerID string `query:"worker_id" doc:"name or id of the node of the last attempt"`
	Tag      string `query:"tag"`
	Text     string `query:"text" doc:"part of the command or name"`
	Limit    int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
	Offset   int    `query:"offset" default:"0" minimum:"0" maximum:"100000"`
	Cursor   string `query:"cursor" doc:"next_cursor of the page before; without offset"`
}

type listOutput struct{ Body taskList }

type taskList struct {
	Tasks    []Task  `json:"tasks"`
	Total    *int    `json:"total" doc:"how many match in all; null if that was not counted"`
	Returned int     `json:"returned"`
	Limit    int     `json:"limit"`
	Offset   int     `json:"offset"`
	Next     *string `json:"next_cursor" doc:"null on the last page"`
}

func (a *API) listTasks(ctx context.Context, in *listInput) (*listOutput, error) {
	query, err := queryOf(in)
	if err != nil {
		return nil, err
	}
	claims := callerIn(ctx)
	if reachIn(ctx, access.ReadTasks) == access.Own {
		query.By = claims.Principal()
	}
	cluster := a.controlOf(ctx)
	total, err := skip(ctx, cluster, &query, in.Offset)
	if err != nil {
		return nil, err
	}
	query.Limit = in.Limit
	page, err := cluster.List(ctx, query)
	if err != nil {
		return nil, err
	}
	if in.Offset == 0 {
		total = page.Total
	}
	names := a.nodeNames(ctx, cluster)
	list := taskList{Tasks: make([]Task, len(page.Tasks)), Returned: len(page.Tasks), Limit: in.Limit, Offset: in.Offset}
	for i := range page.Tasks {
		list.Tasks[i] = taskOf(&page.Tasks[i], names, false)
	}
	if total >= 0 {
		list.Total = &total
	}
	if next := page.Onward(); next != 0 {
		cursor := next.String()
		list.Next = &cursor
	}
	return &listOutput{Body: list}, nil
}

// queryOf reads what a list asks for.
func queryOf(in *listInput) (task.Query, error) {
	query := task.Query{Text: in.Text}
	if in.Status != "" {
		if query.States = statesOf(in.Status); query.States == nil {
			return query, task.Errorf(task.KindUsage, "status: %q is not one of queued, running, completed, failed, cancelled", in.Status)
		}
	}
	if in.State != "" {
		state, err := task.ParseState(in.State)
		if err != nil {
			return query, err
		}
		if in.Status != "" {
			return query, task.Errorf(task.KindUsage, "status and state ask for the same; give one")
		}
		query.States = []task.State{state}
	}
	if in.WorkerID != "" {
		query.Nodes = []string{in.WorkerID}
	}
	if in.Tag != "" {
		query.Tags = []string{in.Tag}
	}
	if in.Cursor != "" {
		after, err := task.ParseID(in.Cursor)
		if err != nil || in.Offset != 0 {
			return query, task.Errorf(task.KindUsage, "cursor: give next_cursor of a page before, and no offset")
		}
		query.After = after
	}
	return query, nil
}

// skip moves a query past so many tasks and says how many match in all.
func skip(ctx context.Context, cluster control.Control, query *task.Query, offset int) (total int, err error) {
	total = -1
	for left := offset; left > 0; {
		query.Limit = min(left, task.MaxPage)
		page, err := cluster.List(ctx, *query)
		if err != nil {
			return 0, err
		}
		if total < 0 {
			total = page.Total
		}
		left -= len(page.Tasks)
		next := page.Onward()
		if next == 0 {
			query.After = 1 // nothing is older than the first task
			break
		}
		query.After = next
	}
	return total, nil
}
