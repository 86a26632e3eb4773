package queue

import (
	"github.com/adauldev/octaskly/queue/state"
	"github.com/adauldev/octaskly/queue/task"
)

// early is the planted bug AckEarly: the answer of a submit is made up and
// given before the log has committed.
func early(q *Queue, cmd []byte, done func(Applied, error)) {
	tasks, limit, ok := state.IsSubmit(cmd)
	if !ok {
		q.log.Propose(cmd, done)
		return
	}
	reply := SubmitReply{Limit: limit}
	next := q.state.NextID()
	for i := range tasks {
		reply.Tasks = append(reply.Tasks, Submitted{ID: next + task.ID(i), Verdict: Accepted})
	}
	done(Applied{Reply: reply}, nil)
	q.log.Propose(cmd, func(Applied, error) {})
}
