package queue

import (
	"context"
	"time"

	"github.com/adauldev/octaskly/queue/badgerdb"
)

const tick = 100 * time.Millisecond // longest pause between two looks at the free space

// Run removes finished tasks by age and number, makes delayed retries ready
// and watches free space, until ctx ends. It fails when the state can not be
// written any more; the queue must then be closed and opened again.
func (q *Queue) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var removed time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-q.state.Broken():
			return q.state.Failure()
		case <-q.state.Sooner():
		case <-q.space.Crossed():
		case <-timer.C:
		}
		q.space.KeepBallast()
		q.pauseCompactions()
		if now := time.Now(); now.Sub(removed) >= retentionEvery {
			removed = now
			q.removeOverdue(ctx)
		}
		wait := tick
		if next := q.state.MakeDue(q.now()); next != 0 {
			wait = min(wait, max(time.Duration(next-q.now())*time.Millisecond, time.Millisecond))
		}
		timer.Reset(wait)
	}
}

// pauseCompactions lets the stores compact only while there is space for it.
func (q *Queue) pauseCompactions() {
	if !q.space.Limited() {
		return
	}
	free := q.space.Look()
	for _, c := range q.compactions() {
		q.space.Pausing(c, free)
	}
}

// Quiet reports whether no store compacts, for want of space, and none will
// before there is more.
func (q *Queue) Quiet() bool {
	for _, c := range q.compactions() {
		if !c.Paused() {
			return false
		}
	}
	return true
}

// compactions are those of the stores that have any.
func (q *Queue) compactions() (all []*badgerdb.Compactions) {
	for _, part := range []any{q.state.Store(), q.log} {
		if c, ok := part.(interface{ Compactions() *badgerdb.Compactions }); ok {
			all = append(all, c.Compactions())
		}
	}
	return all
}
