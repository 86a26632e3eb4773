package task

// State is where a task is in its life. The zero value is no state.
type State uint8

// The states, in the words that every face shows.
const (
	Queued    State = iota + 1 // waits for a worker
	Assigned                   // leased to a worker, not known to have started
	Running                    // the worker has started it
	Retry                      // failed or was lost, waits for its next attempt
	Done                       // ended with exit code 0
	Failed                     // ended otherwise, retries used up
	Timeout                    // ended by its wall-clock limit
	Cancelled                  // ended because somebody said so
	Lost                       // at-most-once: may or may not have run
)

var stateNames = [...]string{
	Queued: "queued", Assigned: "assigned", Running: "running", Retry: "retry", Done: "done",
	Failed: "failed", Timeout: "timeout", Cancelled: "cancelled", Lost: "lost",
}

// States lists every state in the order of a life.
func States() []State {
	return []State{Queued, Assigned, Running, Retry, Done, Failed, Timeout, Cancelled, Lost}
}

// String is the state's word.
func (s State) String() string {
	if int(s) < len(stateNames) && s > 0 {
		return stateNames[s]
	}
	return "unknown"
}

// ParseState reads a state's word.
func ParseState(w string) (State, error) {
	for _, s := range States() {
		if s.String() == w {
			return s, nil
		}
	}
	return 0, Errorf(KindUsage, "%q is not a state; the states are queued, assigned, running, retry, done, failed, timeout, cancelled, lost", w)
}

// Terminal reports whether a task in this state will never change again.
func (s State) Terminal() bool { return s >= Done && s <= Lost }

// Holds reports whether a task in this state is leased to a worker.
func (s State) Holds() bool { return s == Assigned || s == Running }

// next is the one transition table. Running may be skipped: it is learned from
// the worker and never stored, so the log may step from Assigned to an end.
var next = map[State][]State{
	0:        {Queued, Retry},
	Queued:   {Assigned, Cancelled, Failed},
	Assigned: {Running, Queued, Retry, Done, Failed, Timeout, Cancelled, Lost},
	Running:  {Queued, Retry, Done, Failed, Timeout, Cancelled, Lost},
	Retry:    {Assigned, Queued, Cancelled, Failed},
}

// MayBecome reports whether the step from s to t is legal. The zero state
// stands for "not submitted yet".
func (s State) MayBecome(t State) bool {
	for _, n := range next[s] {
		if n == t {
			return true
		}
	}
	return false
}
