package remote

import (
	"math/rand/v2"
	"time"
)

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
