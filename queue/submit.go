package queue

import (
	"bytes"
	"sync"

	"github.com/adauldev/octaskly/queue/task"
)

var writers = sync.Pool{New: func() any { return &blockWriter{} }}

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
	if err := q.space.maySubmit(); err != nil {
		return failed[SubmitReply](err)
	}
	cmds := q.submitCommands(by, tasks)
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

// submitCommands cuts a submit into commands.
func (q *Queue) submitCommands(by task.Principal, tasks []task.NewTask) [][]byte {
	w := writers.Get().(*blockWriter)
	defer writers.Put(w)
	w.reset()
	now := q.now()
	var cmds [][]byte
	flush := func() {
		if w.n == 0 {
			return
		}
		b := beginCommand(w.out[:0], cmdSubmit, now)
		b = putUint(b, uint64(max(q.opts.MaxSize, 0)))
		w.out = w.append(b, now, by)
		cmds = append(cmds, bytes.Clone(w.out))
		w.reset()
	}
	for i := range tasks {
		if w.n > 0 && (w.n == task.MaxBatch || w.size()+commandSize(&tasks[i]) > maxCommandBytes) {
			flush()
		}
		w.add(&tasks[i])
	}
	flush()
	return cmds
}

// commandSize is about how many bytes a task adds to a command, from above: what
// it carries, what it asks of a node once more, and its place in the block.
func commandSize(t *task.NewTask) int { return 48 + t.Size() + t.Spec.Need.Size() }
