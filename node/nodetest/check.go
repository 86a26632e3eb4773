// Package nodetest is what tests of whole nodes share: histories of what
// happened, and the checker that says which promise a history breaks.
package nodetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// Violation is one place where a history breaks a promise.
type Violation struct {
	Invariant string // I1 to I14, as the table of Check says
	Task      task.ID
	At        int // index of the event that shows it; the length of the history for what only its end shows
	Text      string
}

// String is the violation as one line.
func (v Violation) String() string {
	if v.Task == 0 {
		return fmt.Sprintf("%s at event %d: %s", v.Invariant, v.At, v.Text)
	}
	return fmt.Sprintf("%s at event %d, task %d: %s", v.Invariant, v.At, v.Task, v.Text)
}

// CheckOptions say what a history is expected to hold.
type CheckOptions struct {
	Witnessed  bool          // every command says from outside that it ran
	Complete   bool          // nothing was left to do at the end
	Lossy      bool          // processes were killed for real: what a dispatcher did just before a crash may be missing
	CrashLimit int           // how often a task may be lost with its worker; 0 is 5
	KillMargin time.Duration // how long after its grace a cancelled task may live; 0 is 5 s
}

// Check reads a history in the order given and lists what breaks a promise:
//
//	I1   an acknowledged submit is in every later complete list until it is purged
//	I2   a stored task was submitted, with the same spec
//	I3   one key of one principal is one task with one spec
//	I4   a task's states follow the table, and nothing happens after the end
//	I5   a task ends once, and its result never changes
//	I6   a result is of the latest lease; fences of a task only grow
//	I7   no two leases of a task overlap; no worker believes longer than the dispatcher
//	I8   an at-most-once task runs at most once
//	I9   what is done did run, under the fence that was recorded, and exited 0
//	I10  a task runs at most once and as often again as retries and losses allow
//	I11  one dispatcher grants in one term, and a worker obeys no older term
//	I12  nothing is acknowledged before it is kept; a worker keeps results until then
//	I13  a cancelled task is not granted again and is gone after its grace
//	I14  leases and running tasks stay within what a worker declared
//
// Promises about events of a kind that the history does not have at all are not
// checked. The result is in the order of the events.
func Check(history []task.Event, o CheckOptions) []Violation {
	if o.CrashLimit == 0 {
		o.CrashLimit = 5
	}
	if o.KillMargin == 0 {
		o.KillMargin = 5 * time.Second
	}
	c := &checker{
		opt: o, has: map[task.EventKind]bool{}, lives: map[task.ID]*life{}, keys: map[keyOf]*firstUse{},
		calls: map[keyOf][]string{}, workers: map[string]*workerLife{}, terms: map[uint64]string{}, reads: map[uint64]*reading{},
	}
	for i := range history {
		c.has[history[i].Kind] = true
	}
	for i := range history {
		c.at = i
		c.step(&history[i])
	}
	c.at = len(history)
	c.finish()
	slices.SortStableFunc(c.found, func(a, b Violation) int { return a.At - b.At })
	return c.found
}

// Report is violations as text, the first few of many.
func Report(vs []Violation) string {
	var b strings.Builder
	for i, v := range vs {
		if i == 20 {
			fmt.Fprintf(&b, "… and %d more\n", len(vs)-i)
			break
		}
		fmt.Fprintln(&b, v)
	}
	return b.String()
}

type checker struct {
	opt     CheckOptions
	has     map[task.EventKind]bool
	lives   map[task.ID]*life
	order   []task.ID // of lives, as they came
	keys    map[keyOf]*firstUse
	calls   map[keyOf][]string // hashes that were submitted under a key
	workers map[string]*workerLife
	terms   map[uint64]string // who grants in a term
	reads   map[uint64]*reading
	crashes int
	at      int
	found   []Violation
}

type keyOf struct{ by, key string }

// firstUse is the task that a key stands for.
type firstUse struct {
	id   task.ID
	hash string
}

// life is what is known about one task.
type life struct {
	stored    bool
	acked     bool
	hash      string
	delivery  task.Delivery
	retries   int32
	state     task.State // by EvChange
	last      task.Fence // latest granted
	lease     *lease     // nil while none is open
	leases    map[task.Fence]*lease
	record    *task.Event
	acks      map[task.Fence]string // verdicts that its workers were given
	exits     map[task.Fence]int32
	starts    int
	witnesses []task.Fence
	cancelled *task.Event
	purged    bool
	ended     bool // seen in a terminal state
}

type lease struct {
	fence   task.Fence
	worker  string
	use     room
	backlog bool
	expired bool
	crashes int // crashes before the grant
}

// reading is one complete list while it is read.
type reading struct {
	due     []task.ID // acknowledged before it began
	seen    map[task.ID]bool
	crashes int
}

func (c *checker) step(e *task.Event) {
	switch e.Kind {
	case task.EvSubmitCall, task.EvSubmitOK, task.EvStore, task.EvPurge, task.EvReadCall, task.EvSeen, task.EvReadOK:
		c.stepSubmit(e)
	case task.EvGrant, task.EvUngrant, task.EvRelease, task.EvRequeue, task.EvExpire, task.EvPromote, task.EvRecord, task.EvChange, task.EvCancelOK:
		c.stepDispatch(e)
	case task.EvCapacity, task.EvObey, task.EvRenewed, task.EvStart, task.EvExit, task.EvKilled, task.EvResultOK, task.EvSpoolDrop:
		c.stepWorker(e)
	case task.EvWitness:
		l := c.life(e.Task)
		l.witnesses = append(l.witnesses, e.Fence())
		if n := len(l.witnesses); n > 1 && l.delivery == task.AtMostOnce && l.known() {
			c.fail("I8", e.Task, "its command ran %d times although it may run only once", n)
		}
	case task.EvAlive:
		c.alive(e)
	case task.EvCrash:
		c.crashes++
		if w := c.workers[e.Node]; w != nil {
			w.running = map[leaseName]room{}
		}
	}
}

// known reports whether it was learned what was asked for.
func (l *life) known() bool { return l.stored || l.acked }

func (c *checker) life(id task.ID) *life {
	l := c.lives[id]
	if l == nil {
		l = &life{leases: map[task.Fence]*lease{}, acks: map[task.Fence]string{}, exits: map[task.Fence]int32{}}
		c.lives[id] = l
		c.order = append(c.order, id)
	}
	return l
}

func (c *checker) fail(invariant string, id task.ID, format string, a ...any) {
	c.found = append(c.found, Violation{Invariant: invariant, Task: id, At: c.at, Text: fmt.Sprintf(format, a...)})
}

func (c *checker) alive(e *task.Event) {
	x := c.life(e.Task).cancelled
	if x == nil {
		return
	}
	if late := time.Duration(e.Time - x.Time - x.Grace); late > c.opt.KillMargin {
		c.fail("I13", e.Task, "process %d lives %s after its grace ended", e.PID, late)
	}
}

// finish checks what only the whole history shows.
func (c *checker) finish() {
	for _, id := range c.order {
		l := c.lives[id]
		if l.delivery == task.AtMostOnce && l.known() && len(l.witnesses) > 1 && !c.reported("I8", id) {
			c.fail("I8", id, "its command ran %d times although it may run only once", len(l.witnesses))
		}
		if most := 1 + int(l.retries) + c.opt.CrashLimit; l.known() && len(l.witnesses) > most {
			c.fail("I10", id, "its command ran %d times, at most %d are allowed", len(l.witnesses), most)
		}
		c.finishDone(id, l)
		if c.opt.Complete && l.acked && !l.purged && l.record == nil && !l.ended {
			c.fail("I5", id, "acknowledged, and never ended")
		}
	}
}

func (c *checker) finishDone(id task.ID, l *life) {
	if l.record == nil || l.record.State != task.Done {
		return
	}
	f := l.record.Fence()
	if code, known := l.exits[f]; known && code != 0 {
		c.fail("I9", id, "recorded as done, but attempt %s exited with %d", f, code)
	}
	if l.record.Kind != task.EvRecord { // only listed: nobody said which attempt it was
		if c.opt.Witnessed && len(l.witnesses) == 0 {
			c.fail("I9", id, "listed as done, and no witness saw it run")
		}
		return
	}
	if c.opt.Witnessed && !slices.Contains(l.witnesses, f) {
		c.fail("I9", id, "recorded as done by attempt %s, which no witness saw", f)
	}
}

func (c *checker) reported(invariant string, id task.ID) bool {
	return slices.ContainsFunc(c.found, func(v Violation) bool { return v.Invariant == invariant && v.Task == id })
}
