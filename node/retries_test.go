package node

import (
	"errors"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// TestRetries: who looks for a dispatcher stays quick; who is refused by one backs
// off to minutes, and begins anew when the reason changes.
func TestRetries(t *testing.T) {
	removed := task.Errorf(task.KindNotAllowed, "removed")
	for _, c := range []struct {
		name          string
		err           error
		member, given bool
		times         int
		least, most   time.Duration
	}{
		{"nobody answers", control.NoDispatcher(), true, false, 1000, restless, lookAgain},
		{"nobody answers there", errors.New("timeout"), true, true, 1000, restless, noAnswerMax},
		{"one too many", task.Errorf(task.KindFull, "full"), true, false, 1000, restless, noAnswerMax},
		{"no member yet", removed, false, false, 1000, restless, lookAgain},
		{"refused once", removed, true, false, 1, time.Second / 2, time.Second},
		{"refused five times", removed, true, false, 5, 8 * time.Second, 16 * time.Second},
		{"refused for days", removed, true, true, 100000, 10 * time.Second, 5 * time.Minute},
	} {
		var r retries
		for range c.times {
			r.failed(reasonOf(c.err, c.member, c.given))
		}
		if least, most := r.wait(); least != c.least || most != c.most {
			t.Errorf("%s: waits %v to %v, want %v to %v", c.name, least, most, c.least, c.most)
		}
	}
	var r retries
	for range 100 {
		r.failed(turnedAway)
	}
	if r.failed(notFound); r.count != 1 {
		t.Errorf("another reason counts as failure %d", r.count)
	}
	spent := time.Duration(0)
	tries := 0
	for r = (retries{}); spent < 79*time.Minute; tries++ { // F17: 0.94 MB of log in this time
		r.failed(turnedAway)
		_, most := r.wait()
		spent += most
	}
	if tries > 30 {
		t.Errorf("a removed node knocks %d times in 79 minutes", tries)
	}
}
