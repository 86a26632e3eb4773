package queue

import (
	"github.com/adauldev/octaskly/queue/state"
	"github.com/adauldev/octaskly/queue/task"
)

// Submit stores tasks on behalf of by. They have passed task.NewTask.Check; one
// that no command can carry makes the whole call fail with KindTooLarge, a disk
// with too little space with KindDisk. See SubmitReply.Err for the refusals of
// single tasks.
func (q *Queue) Submit(by task.Principal, tasks []task.NewTask) *Pending[SubmitReply] {
	for i := range tasks {
		if err := tasks[i].CheckSize(); err != nil {
			return failed[SubmitReply](err)
		}
	}
	if err := q.space.MaySubmit(); err != nil {
		return failed[SubmitReply](err)
	}
	cmds := state.EncodeSubmit(q.now(), q.opts.MaxSize, by, tasks)
	p := &Pending[SubmitReply]{}
	if len(cmds) == 0 {
		p.settle(SubmitReply{Limit: q.opts.MaxSize}, nil)
		return p
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(cmds) == 1 {
		propose(q, cmds[0], p.settle)
		return p
	}
	g := newGather(len(cmds), func(parts []SubmitReply, err error) { p.settle(joinSubmits(parts), err) })
	for i, c := range cmds {
		propose(q, c, func(v SubmitReply, err error) { g.settle(i, v, err) })
	}
	return p
}

func joinSubmits(parts []SubmitReply) SubmitReply {
	var all SubmitReply
	for _, r := range parts {
		all.Tasks = append(all.Tasks, r.Tasks...)
		if r.Limit > 0 {
			all.Limit, all.Waiting = r.Limit, r.Waiting
		}
	}
	return all
}
