package api

import (
	"strconv"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// Task is a task as REST answers it: octaskly.task/1 with the fields of the
// original beside it. Its id is text here, as the original's was, and the number
// stands beside it.
type Task struct {
	ID          string  `json:"id"`
	Number      task.ID `json:"number"`
	Status      string  `json:"status" enum:"queued,running,completed,failed,cancelled" doc:"the original's word; state says more"`
	WorkerID    *string `json:"worker_id" doc:"name of the node of the last attempt"`
	ExitCode    *int32  `json:"exit_code" doc:"null until the task has ended, and where no end was seen"`
	CreatedAt   *string `json:"created_at"`
	CompletedAt *string `json:"completed_at"`
	DurationMS  *int64  `json:"duration_ms" doc:"of the last attempt; null until it has ended"`
	*text.Document
}

// statuses are the original's words for our states.
var statuses = map[task.State]string{
	task.Queued: "queued", task.Assigned: "queued", task.Retry: "queued", task.Running: "running", task.Done: "completed",
	task.Failed: "failed", task.Timeout: "failed", task.Lost: "failed", task.Cancelled: "cancelled",
}

// statesOf lists the states that a word of the original means; none if it is no such word.
func statesOf(status string) []task.State {
	var states []task.State
	for _, state := range task.States() {
		if statuses[state] == status {
			states = append(states, state)
		}
	}
	return states
}

// taskOf writes a task. nodeName gives the name of a node, or an empty text.
func taskOf(t *task.Task, nodeName func(task.NodeID) string, whole bool) Task {
	document := text.DocumentOf(t, nodeName, whole)
	out := Task{
		ID: strconv.FormatUint(uint64(t.ID), 10), Number: t.ID, Status: statuses[t.State], WorkerID: document.Node,
		CreatedAt: document.Submitted, CompletedAt: document.Finished, Document: document,
	}
	if document.Exit != nil {
		out.ExitCode = document.Exit.Code
	}
	if last := t.Last(); last != nil && last.Started != 0 && last.Ended != 0 {
		took := last.Ended - last.Started
		out.DurationMS = &took
	}
	return out
}
