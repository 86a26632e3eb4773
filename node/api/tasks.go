package api

import (
	"bytes"
	"context"
	"strconv"

	"github.com/adauldev/octaskly/node/access"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// The largest bodies of submits. What is longer is refused before it is read whole.
const (
	maxTaskBody = 16 << 20
	maxBulkBody = 64 << 20
)

type submitInput struct {
	Key     string `header:"Idempotency-Key" doc:"a submit that is repeated with the same key gives the same task"`
	RawBody []byte `contentType:"application/json" required:"true"`
}

type submitOutput struct {
	Location string `header:"Location"`
	Body     Task
}

// submitTask submits one task in the form octaskly.task/1 or the original's.
func (a *API) submitTask(ctx context.Context, in *submitInput) (*submitOutput, error) {
	asked, err := text.ReadTask(in.RawBody)
	if err != nil {
		return nil, err
	}
	if in.Key != "" {
		if asked.Key != "" && asked.Key != in.Key {
			return nil, task.Errorf(task.KindUsage, "the key is given twice, as Idempotency-Key and as idempotency_key, and differs")
		}
		asked.Key = in.Key
	}
	cluster := a.controlOf(ctx)
	if err := storeStdin(ctx, cluster, &asked); err != nil {
		return nil, err
	}
	reply, err := cluster.Submit(ctx, control.SubmitRequest{Tasks: []task.NewTask{asked}})
	if err != nil {
		return nil, err
	}
	result := reply.Results[0]
	if result.Kind != "" {
		return nil, task.Errorf(result.Kind, "%s", result.Message).WithHint("%s", result.Hint)
	}
	stored, err := cluster.Get(ctx, result.ID)
	if err != nil {
		return nil, err
	}
	document := taskOf(&stored, a.nodeNames(ctx, cluster), true)
	return &submitOutput{Location: "/api/v1/tasks/" + document.ID, Body: document}, nil
}

// storeStdin stores what does not ride in the task, and checks the rest.
func storeStdin(ctx context.Context, cluster control.Control, asked *task.NewTask) error {
	if err := asked.CheckButStdin(); err != nil {
		return err
	}
	if len(asked.Spec.Stdin) <= task.MaxInlineStdin {
		return asked.Check()
	}
	ref, err := cluster.PutBlob(ctx, int64(len(asked.Spec.Stdin)), bytes.NewReader(asked.Spec.Stdin).Read)
	if err != nil {
		return err
	}
	asked.Spec.Stdin, asked.Spec.StdinRef = nil, ref
	return nil
}

type bulkInput struct {
	RawBody []byte `contentType:"application/x-ndjson" required:"true"`
}

type bulkOutput struct{ Body bulkResult }

type bulkResult struct {
	Accepted int        `json:"accepted"`
	Refused  int        `json:"refused"`
	Results  []bulkLine `json:"results" doc:"one for each line that is not empty, in their order"`
}

type bulkLine struct {
	Line      int      `json:"line" doc:"from 1"`
	ID        *string  `json:"id" doc:"null when the line was refused"`
	Number    *task.ID `json:"number"`
	Duplicate bool     `json:"duplicate" doc:"the task was there already, submitted with the same key"`
	Error     *string  `json:"error"`
	Code      *string  `json:"code"`
}

// submitTasks submits one task a line. What is wrong with one line does not keep
// the others from being stored.
func (a *API) submitTasks(ctx context.Context, in *bulkInput) (*bulkOutput, error) {
	cluster := a.controlOf(ctx)
	lines := text.NewLines(bytes.NewReader(in.RawBody))
	var asked []task.NewTask
	var at []int // result of each task asked for
	out := &bulkOutput{Body: bulkResult{Results: []bulkLine{}}}
	for line, ok := lines.Next(ctx); ok; line, ok = lines.Next(ctx) {
		result := bulkLine{Line: line.Number}
		err := line.Err
		if err == nil {
			err = storeStdin(ctx, cluster, &line.Task)
		}
		if err != nil {
			result.refuse(task.KindOf(err), err.Error())
		} else {
			asked, at = append(asked, line.Task), append(at, len(out.Body.Results))
		}
		out.Body.Results = append(out.Body.Results, result)
	}
	if len(asked) > 0 {
		reply, err := cluster.Submit(ctx, control.SubmitRequest{Tasks: asked})
		if err != nil && len(reply.Results) == 0 {
			return nil, err
		}
		for i, submitted := range reply.Results {
			out.Body.Results[at[i]].set(submitted)
		}
		for i := len(reply.Results); i < len(asked); i++ {
			out.Body.Results[at[i]].refuse(task.KindOf(err), "not submitted: "+err.Error())
		}
	}
	for i := range out.Body.Results {
		if out.Body.Results[i].Error == nil {
			out.Body.Accepted++
		} else {
			out.Body.Refused++
		}
	}
	return out, nil
}

func (l *bulkLine) refuse(kind task.Kind, message string) {
	code := string(kind)
	l.Error, l.Code = &message, &code
}

func (l *bulkLine) set(submitted task.Submitted) {
	if submitted.Kind != "" {
		l.refuse(submitted.Kind, submitted.Message)
		return
	}
	id := submitted.ID.String()
	l.ID, l.Number, l.Duplicate = &id, &submitted.ID, submitted.Duplicate
}

type idInput struct {
	ID string `path:"id" doc:"the number of a task"`
}

// theTask is the task of a path, if who asks may use the right on it. Somebody
// else's is not found rather than forbidden: who guesses learns nothing.
func (a *API) theTask(ctx context.Context, cluster control.Control, path string, right access.Right) (task.Task, error) {
	id, err := task.ParseID(path)
	if err != nil {
		return task.Task{}, err
	}
	found, err := cluster.Get(ctx, id)
	if err != nil {
		return task.Task{}, err
	}
	claims := callerIn(ctx)
	if reachIn(ctx, right) == access.Own && found.By != claims.Principal() {
		return task.Task{}, task.Errorf(task.KindNotFound, "there is no task %s", id)
	}
	return found, nil
}

type cancelInput struct {
	ID   string `path:"id" doc:"the number of a task"`
	Body *struct {
		Grace *float64 `json:"grace,omitempty" minimum:"0" doc:"seconds between asking it to end and killing it; null is the task's own"`
	} `required:"false"`
}

type cancelOutput struct {
	Body struct {
		ID      string  `json:"id"`
		Number  task.ID `json:"number"`
		Status  string  `json:"status"`
		State   string  `json:"state" doc:"still running while it is being ended"`
		Message string  `json:"message"`
	}
}

func (a *API) deleteTask(ctx context.Context, in *idInput) (*cancelOutput, error) {
	return a.cancelTask(ctx, &cancelInput{ID: in.ID})
}

func (a *API) cancelTask(ctx context.Context, in *cancelInput) (*cancelOutput, error) {
	cluster := a.controlOf(ctx)
	found, err := a.theTask(ctx, cluster, in.ID, access.CancelTasks)
	if err != nil {
		return nil, err
	}
	request := control.CancelRequest{IDs: []task.ID{found.ID}}
	if in.Body != nil && in.Body.Grace != nil {
		if request.Grace, err = text.ParseGrace(strconv.FormatFloat(*in.Body.Grace, 'f', -1, 64)); err != nil {
			return nil, err
		}
	}
	replies, err := cluster.Cancel(ctx, request)
	if err != nil {
		return nil, err
	}
	reply := replies[0]
	if reply.Kind != "" {
		return nil, task.Errorf(reply.Kind, "cancel task %s: it is %s already", found.ID, reply.State)
	}
	out := &cancelOutput{}
	out.Body.ID, out.Body.Number, out.Body.State = found.ID.String(), found.ID, reply.State.String()
	out.Body.Status, out.Body.Message = "cancelled", "cancelled"
	if !reply.State.Terminal() {
		out.Body.Message = "it is being ended; state says when it has"
	}
	return out, nil
}

// controlOf is the cluster as who asks may use it.
func (a *API) controlOf(ctx context.Context) control.Control {
	claims := callerIn(ctx)
	return a.opt.Control(claims.Principal())
}

// nodeNames gives names of nodes, asked for once; an unknown one has none.
func (a *API) nodeNames(ctx context.Context, cluster control.Control) func(task.NodeID) string {
	var names map[task.NodeID]string
	return func(id task.NodeID) string {
		if names == nil {
			names = map[task.NodeID]string{}
			nodes, _ := cluster.Nodes(ctx)
			for i := range nodes {
				names[nodes[i].ID] = nodes[i].Name
			}
		}
		return names[id]
	}
}
