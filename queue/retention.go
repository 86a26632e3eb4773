package queue

import (
	"context"
	"time"
)

const (
	retentionEvery = 5 * time.Second
	retentionSlice = 500 // tasks removed by one command
)

// observedTime is a clock for deciding what is old: it counts the time during which
// this process ran, from when the queue last saw a task finish. A wall clock that is
// wrong, even for days, and time during which nothing ran make nothing old.
type observedTime struct {
	unixMilli int64
	looked    time.Time // when it was asked last
}

// begin starts it at lastFinish, in Unix ms, but not ahead of now.
func (o *observedTime) begin(now time.Time, lastFinish int64) {
	o.unixMilli, o.looked = min(lastFinish, now.UnixMilli()), now
}

// advance adds the time that passed and returns what is observed, never ahead of the
// wall clock, which may have been set meanwhile.
func (o *observedTime) advance(wallMilli int64, passed time.Duration) int64 {
	o.unixMilli += max(0, passed.Milliseconds())
	return min(o.unixMilli, wallMilli)
}

// removeOverdue removes finished tasks until no more are over age or number.
func (q *Queue) removeOverdue(ctx context.Context) {
	now := q.opts.Now()
	if q.observed.looked.IsZero() {
		q.observed.begin(now, q.state.LastFinish())
	}
	observed := q.observed.advance(now.UnixMilli(), now.Sub(q.observed.looked)) // Sub is by the monotonic clock
	q.observed.looked = now
	before := int64(0)
	if q.opts.KeepAge > 0 {
		before = observed - q.opts.KeepAge.Milliseconds()
	}
	for ctx.Err() == nil {
		if _, ok := q.log.Leader(); !ok {
			return
		}
		ids := q.state.Overdue(retentionSlice, q.opts.KeepCount, before)
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
