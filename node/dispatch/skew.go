package dispatch

import "time"

// skew compares a worker's clock with this one's. A heartbeat that was held up
// on its way makes the worker's clock look late, never early, so the earliest
// of the last few is the truest.
type skew struct {
	last [8]time.Duration
	n    int
}

// note takes a heartbeat that was sent at a time by the worker's clock, Unix ms,
// and arrived now. Zero is of a worker that does not say.
func (s *skew) note(sent int64, now time.Time, rtt time.Duration) {
	if sent == 0 {
		return
	}
	s.last[s.n%len(s.last)] = time.UnixMilli(sent).Add(rtt / 2).Sub(now)
	s.n++
}

// ahead is how far the worker's clock is ahead; less than zero is behind.
func (s *skew) ahead() time.Duration {
	most := time.Duration(0)
	for i, d := range s.last[:min(s.n, len(s.last))] {
		if i == 0 || d > most {
			most = d
		}
	}
	return most
}
