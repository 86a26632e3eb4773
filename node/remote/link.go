package remote

import (
	"math/rand/v2"
	"time"
)

// LinkState is how a client stands to the node it asks.
type LinkState string

// The link states.
const (
	LinkIdle      LinkState = "idle"      // not asked for anything yet
	LinkConnected LinkState = "connected" // answers come
	LinkDegraded  LinkState = "degraded"  // an answer is late, or the connection is being made again
	LinkLost      LinkState = "lost"      // no connection for a while
)

// Link is the state of a client's connection, for faces to show.
type Link struct {
	State LinkState
	Since time.Time     // when the last answer came, or since when it has been down
	Late  time.Duration // how long the oldest question has waited for its answer
	Tries int           // attempts to connect since it went down
	Err   error         // why the last one failed; nil while connected
}

// When a link counts as degraded or lost.
const (
	lateAfter = 2 * time.Second
	lostAfter = 10 * time.Second
)

// facts is what a link state is made of.
type facts struct {
	used    bool      // something was asked
	up      bool      // there is a stream
	heard   time.Time // last answer or last connect
	down    time.Time // since when there is no stream
	pending time.Time // when the oldest unanswered question was asked; zero is none
	tries   int
	err     error
}

// linkOf judges the facts; it is pure.
func linkOf(f facts, now time.Time) Link {
	l := Link{State: LinkConnected, Since: f.heard, Tries: f.tries, Err: f.err}
	if !f.pending.IsZero() {
		l.Late = max(now.Sub(f.pending), 0)
	}
	switch {
	case !f.used:
		l.State = LinkIdle
	case !f.up:
		l.Since = f.down
		l.State = LinkDegraded
		if now.Sub(f.down) >= lostAfter {
			l.State = LinkLost
		}
	case l.Late >= lostAfter && now.Sub(f.heard) >= lostAfter:
		l.State = LinkLost
	case l.Late >= lateAfter && now.Sub(f.heard) >= lateAfter:
		l.State = LinkDegraded
	}
	return l
}

// Limits of the delay between attempts to connect again.
const (
	firstDelay = 20 * time.Millisecond
	maxDelay   = 2 * time.Second
)

// delay is the pause before try number n, counted from 0: doubling from
// firstDelay to maxDelay, with up to half of it taken away by chance, which is
// given from 0 to 1.
func delay(n int, chance float64) time.Duration {
	d := maxDelay
	if n < 7 {
		d = min(firstDelay<<n, maxDelay)
	}
	return d - time.Duration(chance*float64(d)/2)
}

func nextDelay(n int) time.Duration { return delay(n, rand.Float64()) }
