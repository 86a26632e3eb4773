package trust

import (
	"net/netip"
	"time"
)

// Rates of tries at join codes: a stranger can neither guess a code in its
// minutes nor keep others from joining.
const (
	triesPerSource = time.Second     // between two tries from one address
	triesInAll     = time.Second / 5 // between two tries on average
	triesBurst     = 5
	maxSources     = 1024
)

// Tries limits tries at join codes: one a second from each address, five a second
// in all. Wrong tries burn nothing. The zero value is ready. It is not safe for
// use by several goroutines.
type Tries struct {
	sources map[netip.Addr]time.Time // when the address may try again
	next    time.Time                // when the next place is free, less the burst
}

// Take asks for a try from src at now. It returns 0 and counts the try, or says
// how long to wait before asking again.
func (t *Tries) Take(src netip.Addr, now time.Time) time.Duration {
	if at := t.sources[src]; now.Before(at) {
		return at.Sub(now)
	}
	if floor := now.Add(-(triesBurst - 1) * triesInAll); t.next.Before(floor) {
		t.next = floor
	}
	if wait := t.next.Sub(now); wait > 0 {
		return wait
	}
	t.next = t.next.Add(triesInAll)
	if t.sources == nil {
		t.sources = make(map[netip.Addr]time.Time)
	}
	if len(t.sources) >= maxSources {
		for a, at := range t.sources {
			if !now.Before(at) {
				delete(t.sources, a)
			}
		}
	}
	t.sources[src] = now.Add(triesPerSource)
	return 0
}
