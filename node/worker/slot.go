package worker

import (
	"errors"
	"fmt"
	"time"

	"github.com/adauldev/octaskly/exec"
	"github.com/adauldev/octaskly/queue/task"
)

// runFrom runs one attempt after the other until none fits.
func (w *Worker) runFrom(a *attempt) {
	defer w.running.Done()
	for a != nil {
		w.runOne(a)
		w.mu.Lock()
		w.free.give(&a.claim)
		a = w.nextLocked()
		w.startLocked()
		w.mu.Unlock()
	}
}

// runOne runs an attempt from its start to its result.
func (w *Worker) runOne(a *attempt) {
	a.out = newOutput(w, a)
	run, err := w.start(a)
	if err != nil {
		w.notStarted(a, err)
		return
	}
	w.mu.Lock()
	a.run = run
	a.started = time.Now()
	if a.stopped || a.expired || w.stopped {
		run.Cancel(0)
	}
	w.mu.Unlock()
	w.startedLater(a)
	res := run.Wait()
	w.note(task.EvExit, a.Lease, func(e *task.Event) { e.Code = int32(res.Code) })
	a.out.finish()
	w.mu.Lock()
	a.started, a.ended = res.Started, res.Ended
	w.taintLocked(a, res)
	w.mu.Unlock()
	w.finish(a, a.exitOf(res), usageOf(res), res.Enforced)
}

// start hands the attempt to the runner. For a task that must not run twice
// the lease is looked at once more at the last moment.
func (w *Worker) start(a *attempt) (exec.Run, error) {
	spec, err := w.translate(a)
	if err != nil {
		return nil, err
	}
	if a.Spec.Delivery == task.AtMostOnce || w.opt.History != nil {
		spec.BeforeStart = func() error {
			if a.Spec.Delivery == task.AtMostOnce && !w.leased() {
				return errors.New("the lease ended before the task started")
			}
			w.note(task.EvStart, a.Lease, nil)
			return nil
		}
	}
	return w.opt.Runner.Start(w.ctx, spec)
}

// runNullLocked ends an attempt that runs nothing.
func (w *Worker) runNullLocked(a *attempt) {
	a.started = time.Now()
	a.ended = a.started
	w.free.give(&a.claim)
	w.endLocked(a, task.Exit{Reason: task.ReasonExit}, task.Usage{}, "")
}

// notStarted tells apart what this machine cannot do, which is given back, and
// what fails everywhere, which is a result.
func (w *Worker) notStarted(a *attempt, err error) {
	a.out.finish()
	now := time.Now()
	var se *exec.StartError
	if !errors.As(err, &se) {
		se = &exec.StartError{Reason: exec.ReasonHost, Code: 125, Err: err}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	a.started, a.ended = now, now
	switch {
	case a.stopped || se.Reason == exec.ReasonCancelled:
		w.endLocked(a, task.Exit{Code: 125, Reason: task.ReasonCancelled, Message: "stopped before it started"}, task.Usage{}, "")
	case se.Declined() && se.Reason != exec.ReasonRefused:
		w.declineLocked(a, se.Error())
		w.wake()
	default:
		w.endLocked(a, task.Exit{Code: int32(se.Code), Reason: reasonOf(se.Reason), Message: se.Error()}, task.Usage{}, "")
	}
}

// finish makes the result of an attempt.
func (w *Worker) finish(a *attempt, x task.Exit, u task.Usage, enforced string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.endLocked(a, x, u, enforced)
}

func (w *Worker) endLocked(a *attempt, x task.Exit, u task.Usage, enforced string) {
	a.state = ended
	a.run = nil
	a.told = true
	w.free.give(&a.claim)
	if a.drop {
		w.forgetLocked(a)
		return
	}
	if a.expired {
		x.Reason, x.Message = task.ReasonNodeLost, "its lease ended while no dispatcher could be reached"
	}
	if w.stopped && x.Reason == task.ReasonCancelled && !a.stopped {
		x.Reason, x.Message = task.ReasonNodeLost, "the worker was stopped"
	}
	if a.out != nil {
		x = failedFor(x, a.out.lost())
	}
	r := &a.result
	r.Lease, r.Exit, r.Usage, r.Enforced = a.Lease, x, u, enforced
	r.RanUs = a.ended.Sub(a.started).Microseconds()
	if a.out != nil {
		r.Output = a.out.summary()
	}
	if a.out == nil || !a.out.spilled() {
		a.delivered = true
	}
	if a.delivered {
		w.out.results = append(w.out.results, a)
		w.wake()
		return
	}
	w.streamLocked(a)
}

// failedFor is the end of an attempt whose output was lost for a reason of this
// node: no success or failure of the command, but an attempt that has to be made
// again elsewhere. One that a person or its time limit ended stays as it is.
func failedFor(x task.Exit, loss string) task.Exit {
	if loss == "" || x.Reason == task.ReasonCancelled || x.Reason == task.ReasonTimeout || x.Reason == task.ReasonNodeLost {
		return x
	}
	message := "output was lost: " + loss
	if x.Reason == task.ReasonExit {
		message = fmt.Sprintf("exit %d, but %s", x.Code, message)
	}
	return task.Exit{Reason: task.ReasonNodeLost, Message: message}
}
