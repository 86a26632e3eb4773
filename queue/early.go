package queue

import "github.com/adauldev/octaskly/queue/task"

// early is the planted bug AckEarly: the answer of a submit is made up and
// given before the log has committed.
func early(q *Queue, cmd []byte, done func(Applied, error)) {
	kind, _, r := readCommand(cmd)
	if kind != cmdSubmit {
		q.log.Propose(cmd, done)
		return
	}
	limit := int(r.uint())
	k, err := parseBlock(r.b)
	if err != nil {
		q.log.Propose(cmd, done)
		return
	}
	reply := SubmitReply{Limit: limit}
	q.State.mu.RLock()
	next := q.top.next
	q.State.mu.RUnlock()
	for i := range k.items {
		reply.Tasks = append(reply.Tasks, Submitted{task.ID(next + uint64(i)), Accepted})
	}
	done(Applied{Reply: reply}, nil)
	q.log.Propose(cmd, func(Applied, error) {})
}
