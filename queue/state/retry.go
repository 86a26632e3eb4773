package state

import (
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// Bounds of the delay before a retry.
const (
	RetryBase = time.Second
	RetryCap  = 5 * time.Minute
)

func durationOf(n int64) time.Duration { return time.Duration(n) }

// RetryDelay is how long a task waits after its n-th failed attempt (n from
// 1): RetryBase doubled each time (or always RetryBase if fixed), at most
// RetryCap, then spread over 75 % to 125 % by a number made of id and n. It
// is pure: every replica computes the same delay.
func RetryDelay(id task.ID, n uint32, fixed bool) time.Duration {
	d := RetryBase
	if !fixed {
		for i := uint32(1); i < n && d < RetryCap; i++ {
			d *= 2
		}
	}
	d = min(d, RetryCap)
	spread := int64(d / 2)
	return d*3/4 + time.Duration(mix(uint64(id)<<20^uint64(n))%uint64(spread))
}

// mix is the finalizer of splitmix64: it spreads neighbouring numbers.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// worthRetry reports whether an attempt that ended so may be repeated at all.
// list is the spec's RetryOn.
func worthRetry(x *task.Exit, list []int32) bool {
	switch x.Reason {
	case task.ReasonCancelled, task.ReasonUnkillable, task.ReasonPoison:
		return false
	}
	if len(list) == 0 {
		return x.Code != 0
	}
	for _, c := range list {
		if c == x.Code {
			return true
		}
	}
	return false
}

// endState is the final state of an attempt that ended so and is not repeated.
func endState(x *task.Exit, cancelling bool) task.State {
	switch {
	case x.Reason == task.ReasonCancelled:
		return task.Cancelled
	case x.Code == 0 && (x.Reason == task.ReasonExit || x.Reason == ""):
		return task.Done
	case cancelling:
		return task.Cancelled
	case x.Reason == task.ReasonTimeout:
		return task.Timeout
	default:
		return task.Failed
	}
}
