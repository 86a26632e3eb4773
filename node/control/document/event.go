package document

import (
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// Event is one thing that happened, schema octaskly.event/1.
type Event struct {
	Schema   string            `json:"schema"`
	Position uint64            `json:"position"`
	Time     *string           `json:"time"`
	Kind     control.EventKind `json:"kind"`
	Task     *task.ID          `json:"task"`
	From     *string           `json:"from"`
	To       *string           `json:"to"`
	Attempt  *uint32           `json:"attempt"`
	Exit     *int32            `json:"exit"`
	Node     *string           `json:"node"`
	State    *string           `json:"node_state"`
	Text     *string           `json:"text"`
	Missed   *uint64           `json:"missed"` // for a gap: so many; null is not known
}

// EventOf writes it as JSON has it.
func EventOf(e *control.Event) Event {
	o := Event{
		Schema: "octaskly.event/1", Position: e.Position, Time: text.Stamp(e.Time), Kind: e.Kind,
		Node: orNull(e.Node), Text: orNull(e.Text),
	}
	if e.Missed != 0 {
		o.Missed = &e.Missed
	}
	if e.Task != 0 {
		o.Task = &e.Task
	}
	if e.Attempt != 0 {
		o.Attempt = &e.Attempt
	}
	if e.From != 0 {
		o.From = orNull(e.From.String())
	}
	if e.To != 0 {
		o.To = orNull(e.To.String())
	}
	if e.Exit != nil && e.Exit.HasCode() {
		o.Exit = &e.Exit.Code
	}
	if e.NodeInfo != nil {
		o.State = orNull(string(e.NodeInfo.State))
	}
	return o
}
