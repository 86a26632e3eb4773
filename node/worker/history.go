package worker

import (
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// note records an event about an attempt, for tests.
func (w *Worker) note(kind task.EventKind, l wire.Lease, edit func(*task.Event)) {
	if w.opt.History == nil {
		return
	}
	e := task.Event{Kind: kind, Task: l.ID, Term: l.Fence.Term, Attempt: l.Fence.Attempt}
	if edit != nil {
		edit(&e)
	}
	w.opt.History.Record(e)
}

// noteLease records until when the worker believes in its leases.
func (w *Worker) noteLease() {
	if w.opt.History == nil {
		return
	}
	now := time.Now()
	w.opt.History.Record(task.Event{Kind: task.EvRenewed, Time: now.UnixNano(), Until: now.Add(w.until - w.opt.Clock()).UnixNano()})
}

func (w *Worker) noteTerm(term uint64) {
	task.Note(w.opt.History, task.Event{Kind: task.EvObey, Term: term})
}

var verdictWords = map[wire.Verdict]string{wire.Recorded: "recorded", wire.AlreadyRecorded: "already", wire.Fenced: "fenced", wire.Unknown: "unknown"}

func (w *Worker) noteVerdict(l wire.Lease, v wire.Verdict) {
	w.note(task.EvResultOK, l, func(e *task.Event) { e.Verdict = verdictWords[v] })
}
