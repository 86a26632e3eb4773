package queue

import (
	"bytes"
	"sync"

	"github.com/adauldev/octaskly/queue/task"
)

var writers = sync.Pool{New: func() any { return &blockWriter{} }}

// Submit stores tasks on behalf of by. Tasks that break a limit of package
// task make the whole call fail with task.KindUsage or KindTooLarge; a disk
// with too little space makes it fail with KindDisk. See SubmitReply.Err for
// the refusals of single tasks.
func (q *Queue) Submit(by task.Principal, tasks []NewTask) *Pending[SubmitReply] {
	for i := range tasks {
		if err := CheckTask(&tasks[i]); err != nil {
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
func (q *Queue) submitCommands(by task.Principal, tasks []NewTask) [][]byte {
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
		if w.n > 0 && (w.n == task.MaxBatch || w.size()+sizeHint(&tasks[i]) > maxCommandBytes) {
			flush()
		}
		w.add(&tasks[i])
	}
	flush()
	return cmds
}

// sizeHint is about the encoded size of a task, from above.
func sizeHint(t *NewTask) int {
	s := &t.Spec
	n := 256 + len(t.Key) + len(s.Shell) + len(s.Stdin) + len(s.StdinRef) + len(s.Dir) + len(s.Name) + 2*needSize(&s.Need) + 5*len(s.RetryOn)
	for _, a := range s.Argv {
		n += len(a) + 5
	}
	for k, v := range s.Env {
		n += len(k) + len(v) + 10
	}
	for k, v := range s.Secrets {
		n += len(k) + len(v) + 10
	}
	for _, v := range s.Tags {
		n += len(v) + 5
	}
	return n
}

func needSize(n *task.Need) int {
	size := 128 + len(n.On) + len(n.Sandbox)
	for k, v := range n.Labels {
		size += len(k) + len(v) + 10
	}
	return size
}

// maxKeyBytes bounds an idempotency key.
const maxKeyBytes = 128

// maxLabelBytes bounds all labels, tags or other words of one spec together.
const maxWordBytes = 16 << 10

// CheckTask refuses a task that breaks a limit of package task.
func CheckTask(t *NewTask) error {
	s := &t.Spec
	args, env, words := len(s.Shell), 0, len(s.Dir)+len(s.StdinRef)+needSize(&s.Need)
	for _, a := range s.Argv {
		args += len(a)
	}
	for k, v := range s.Env {
		env += len(k) + len(v) + 1
	}
	for _, v := range s.Tags {
		words += len(v)
	}
	tooLarge := func(what string, n, limit int) *task.Error {
		return task.Errorf(task.KindTooLarge, "the task's %s has %d bytes, more than %d", what, n, limit)
	}
	tooMany := func(what string, n, limit int) error {
		return task.Errorf(task.KindUsage, "the task has %d %s, more than %d", n, what, limit)
	}
	switch {
	case args > task.MaxCommandBytes:
		return tooLarge("command", args, task.MaxCommandBytes).
			WithHint("put it into a script, or pass the data on standard input")
	case len(s.Stdin) > task.MaxInlineStdin:
		return tooLarge("standard input", len(s.Stdin), task.MaxInlineStdin)
	case len(s.Env) > task.MaxEnv:
		return tooMany("environment variables", len(s.Env), task.MaxEnv)
	case env > task.MaxEnvBytes:
		return tooLarge("environment", env, task.MaxEnvBytes)
	case len(s.Tags) > task.MaxTags:
		return tooMany("tags", len(s.Tags), task.MaxTags)
	case len(s.Need.Labels) > task.MaxLabels:
		return tooMany("labels", len(s.Need.Labels), task.MaxLabels)
	case words > maxWordBytes:
		return tooLarge("directory, tags and labels", words, maxWordBytes)
	case len(s.Name) > task.MaxNameBytes:
		return tooLarge("name", len(s.Name), task.MaxNameBytes)
	case len(t.Key) > maxKeyBytes:
		return tooLarge("idempotency key", len(t.Key), maxKeyBytes)
	case s.Retries < 0 || s.Retries > task.MaxRetries:
		return task.Errorf(task.KindUsage, "%d retries; there may be 0 to %d", s.Retries, task.MaxRetries)
	case len(s.RetryOn) > 256:
		return tooMany("exit codes to retry on", len(s.RetryOn), 256)
	case s.Priority > 100:
		return task.Errorf(task.KindUsage, "priority %d; there is 0 to 100", s.Priority)
	}
	return nil
}
