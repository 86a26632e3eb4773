package quicnet

import "time"

// Bounds of Backoff.
const (
	backoffFirst = 250 * time.Millisecond
	backoffLast  = 30 * time.Second
)

// Backoff is how long to wait before dialling again after failures in a row
// (1 is the first): 250 ms, doubling up to 30 s, each up to a quarter shorter or
// longer by chance, which is a number from 0 to 1 and keeps many nodes from
// dialling in step.
func Backoff(failures int, chance float64) time.Duration {
	if failures < 1 {
		return 0
	}
	d := backoffLast
	if shift := failures - 1; shift < 7 {
		d = min(backoffFirst<<shift, backoffLast)
	}
	return d + time.Duration((chance-0.5)/2*float64(d))
}
