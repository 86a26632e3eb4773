package worker

import "time"

// unackedAfter is how long a result may wait for its acknowledgement before it
// is put on disk; saveAgain is how long after a failure that is tried again.
const (
	unackedAfter = 500 * time.Millisecond
	saveAgain    = 5 * time.Second
)

// saveUnacked puts results on disk that nobody has acknowledged for a while,
// so that they outlive this process.
func (w *Worker) saveUnacked() {
	w.mu.Lock()
	var late []*attempt
	now := time.Now()
	for _, a := range w.attempts {
		if a.state == ended && !a.onDisk && now.Sub(a.ended) > unackedAfter && now.Sub(a.saveFailed) > saveAgain {
			late = append(late, a)
		}
	}
	w.mu.Unlock()
	for _, a := range late {
		err := w.spool.save(a, a.result)
		w.mu.Lock()
		if a.onDisk = err == nil; err != nil {
			a.saveFailed = now
		}
		if gone := w.attempts[a.Lease] != a; gone {
			w.spool.forget(a)
		}
		w.mu.Unlock()
		if err != nil {
			w.log.Error("a result cannot be kept on disk; it is tried again", "task", a.ID, "error", err)
		}
	}
}
