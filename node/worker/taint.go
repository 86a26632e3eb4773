package worker

import (
	"fmt"

	"github.com/adauldev/octaskly/exec"
	"github.com/adauldev/octaskly/queue/task"
)

// A taint is what a command keeps after its end: it left processes that nothing
// could kill, which still use what was given to it. The dispatcher hears of the
// smaller capacity by a new registration, which names the processes, and by
// another when they are gone.
type taint struct {
	id        task.ID
	claim     claim
	pids      []int
	remaining func() []int
}

// taintLocked keeps what an attempt had if something of it lives on. Attempts
// that wait are given back: there may be no room for them here any more.
func (w *Worker) taintLocked(a *attempt, res exec.Result) {
	if len(res.Survivors) == 0 || res.Remaining == nil {
		return
	}
	w.log.Error("processes of a task could not be killed; what it had stays taken until they are gone", "task", a.ID, "pids", res.Survivors)
	w.taints = append(w.taints, taint{id: a.ID, claim: a.claim, pids: res.Survivors, remaining: res.Remaining})
	a.claim = claim{}
	for _, b := range w.waiting {
		w.declineLocked(b, w.taints[len(w.taints)-1].String())
	}
	w.waiting = nil
	w.registerAgainLocked()
}

func (t taint) String() string {
	return fmt.Sprintf("task %d left processes that can not be killed, and a slot stays taken: %v", t.id, t.pids)
}

// checkTaints gives back what is no longer used.
func (w *Worker) checkTaints() {
	w.mu.Lock()
	all := w.taints // changed by this goroutine and by appending only
	w.mu.Unlock()
	gone := make(map[task.ID]bool)
	for _, t := range all {
		if len(t.remaining()) == 0 {
			gone[t.id] = true
		}
	}
	if len(gone) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var left []taint
	for _, t := range w.taints {
		if gone[t.id] {
			w.log.Info("the processes that could not be killed are gone", "task", t.id, "pids", t.pids)
			w.free.give(&t.claim)
			continue
		}
		left = append(left, t)
	}
	w.taints = left
	w.registerAgainLocked()
}

// registerAgainLocked ends the connection, so that the node makes another and
// the dispatcher hears what has changed.
func (w *Worker) registerAgainLocked() {
	if w.conn != nil {
		w.conn.close()
	}
}

// capacityLocked is what this node has less what is tainted.
func (w *Worker) capacityLocked() task.Capacity {
	c := w.opt.Capacity
	for _, t := range w.taints {
		c.Slots--
		c.CPU -= t.claim.cpu
		c.MemoryMB -= t.claim.mem
		c.GPUs -= int32(len(t.claim.gpus))
	}
	return c
}

// warningsLocked are the node's, and what is tainted.
func (w *Worker) warningsLocked() []string {
	all := w.opt.Warnings
	for _, t := range w.taints {
		all = append(all[:len(all):len(all)], t.String())
	}
	return all
}

// tooSmallLocked reports whether only a taint keeps an assignment from ever
// fitting here: it was made before the dispatcher heard of it.
func (w *Worker) tooSmallLocked(need task.Need) bool {
	if len(w.taints) == 0 {
		return false
	}
	f := freeOf(w.capacityLocked())
	_, ok := f.take(need)
	return !ok
}
