package queue

import (
	"context"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

const (
	tick           = 100 * time.Millisecond // longest pause between two looks at the free space
	retentionEvery = 5 * time.Second
	retentionSlice = 500 // tasks removed by one command
)

// Run removes finished tasks by age and number, makes delayed retries ready
// and watches free space, until ctx ends. It fails when the state can not be
// written any more; the queue must then be closed and opened again.
func (q *Queue) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var swept time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-q.State.Broken():
			q.State.mu.RLock()
			defer q.State.mu.RUnlock()
			return q.State.failed
		case <-q.State.sooner:
		case <-q.space.crossed:
		case <-timer.C:
		}
		q.space.keepBallast()
		q.quieten()
		if now := time.Now(); now.Sub(swept) >= retentionEvery {
			swept = now
			q.sweep(ctx)
		}
		wait := tick
		if next := q.State.makeDue(q.now()); next != 0 {
			wait = min(wait, max(time.Duration(next-q.now())*time.Millisecond, time.Millisecond))
		}
		timer.Reset(wait)
	}
}

// quieten lets the stores compact only while there is space for it. It pauses
// late, because compactions are also what gives space back.
func (q *Queue) quieten() {
	if q.space.low <= 0 {
		return
	}
	free := q.space.look()
	for _, c := range q.stores() {
		switch {
		case free >= q.space.low*7/8, free >= q.space.low/2 && c.Crowded():
			c.Resume()
		case free < q.space.low*3/4:
			c.Pause()
		}
	}
}

// Quiet reports whether no store compacts, for want of space, and none will
// before there is more.
func (q *Queue) Quiet() bool {
	for _, c := range q.stores() {
		if !c.Paused() {
			return false
		}
	}
	return true
}

func (q *Queue) stores() []*Compactions {
	stores := []*Compactions{q.State.quiet}
	if l, ok := q.log.(interface{ Compactions() *Compactions }); ok {
		stores = append(stores, l.Compactions())
	}
	return stores
}

// sweep removes finished tasks until no more are over age or number.
func (q *Queue) sweep(ctx context.Context) {
	for ctx.Err() == nil {
		if _, ok := q.log.Leader(); !ok {
			return
		}
		ids := q.overdue()
		if len(ids) == 0 {
			return
		}
		n, err := q.Purge(ids).Wait(ctx)
		if err != nil || n == 0 {
			if err != nil && ctx.Err() == nil {
				q.logger.Warn("queue: finished tasks could not be removed; it is tried again", "err", err)
			}
			return
		}
	}
}

// overdue lists the next finished tasks to remove.
func (q *Queue) overdue() []task.ID {
	before := int64(0)
	if q.opts.KeepAge > 0 {
		before = q.now() - q.opts.KeepAge.Milliseconds()
	}
	s := q.State
	s.mu.Lock()
	defer s.mu.Unlock()
	total := 0
	for _, st := range task.States() {
		if st.Terminal() {
			total += s.counts[st]
		}
	}
	list := s.finished.oldest(retentionSlice, total, q.opts.KeepCount, before, func(id uint64) bool { return s.cells.state(id).Terminal() })
	ids := make([]task.ID, len(list))
	for i, id := range list {
		ids[i] = task.ID(id)
	}
	return ids
}
