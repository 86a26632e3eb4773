package node

import (
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
)

// reason is why a node has no dispatcher.
type reason uint8

const (
	notFound    reason = iota // nobody answers
	noAnswer                  // nobody answers at the address that a person gave
	clusterFull               // the dispatcher has as many workers as it takes
	turnedAway                // it does not take this node for a member, or not as a worker
)

// reasonOf sorts an error of the search for a dispatcher. member says that this
// node has a membership, given that a person named the dispatcher's address.
func reasonOf(err error, member, given bool) reason {
	switch kind := task.KindOf(err); {
	case kind == task.KindFull:
		return clusterFull
	case kind == task.KindNotAllowed && member:
		return turnedAway
	case given:
		return noAnswer
	}
	return notFound
}

// How long a node waits between two tries. Looking around costs others nothing, so
// it stays quick; where it is always the same one who refuses, the wait doubles.
const (
	lookAgain   = 500 * time.Millisecond
	restless    = 50 * time.Millisecond // at least, however much changes meanwhile
	noAnswerMax = 5 * time.Second
	refusedMin  = time.Second
	refusedMax  = 5 * time.Minute
	refusedRest = 10 * time.Second // at least, once the wait is that long
)

// retries counts failures in a row that have one reason.
type retries struct {
	why   reason
	count int
}

func (r *retries) failed(why reason) {
	if why != r.why {
		*r = retries{why: why}
	}
	r.count++
}

// wait is how long to wait before the next try: at least, though something
// changes meanwhile, and at most.
func (r *retries) wait() (least, most time.Duration) {
	switch r.why {
	case noAnswer, clusterFull:
		return restless, max(lookAgain, min(quicnet.Backoff(r.count, 0.5), noAnswerMax))
	case turnedAway:
		most = refusedMax
		if doublings := r.count - 1; doublings < 9 {
			most = min(refusedMin<<max(doublings, 0), refusedMax)
		}
		return min(most/2, refusedRest), most
	}
	return restless, lookAgain
}
