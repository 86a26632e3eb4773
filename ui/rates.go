package ui

import (
	"slices"
	"time"
)

const (
	keepRates = 512 // of two seconds each
	rateStep  = 2 * time.Second

	// blindAfter is how long the counters may not have been read for their
	// difference still to be a rate.
	blindAfter = 15 * time.Second
)

// rates is how many tasks finished a second, one figure for each two seconds.
// From the first look on they are differences of the cluster's counters; what
// was before that is counted from the events that were still known, which
// arrive in pieces and a while after the first look.
type rates struct {
	all   []float64 // newest last; never changed once it was handed out
	began time.Time // of the first look
	seen  int       // how many of all are from after it
	at    time.Time // of the newest figure
	total int       // tasks that had finished at that time

	unknown bool // the next difference is of two different counters
}

// sample takes how many tasks have finished by now.
func (r *rates) sample(now time.Time, finished int) {
	if r.began.IsZero() {
		r.began, r.at, r.total = now, now, finished
		return
	}
	gone := now.Sub(r.at)
	if gone < rateStep {
		return
	}
	rate := max(0, float64(finished-r.total)/gone.Seconds())
	if r.unknown || gone >= blindAfter { // nobody knows when in between they ended
		rate, r.unknown = 0, false
	}
	all := slices.Clone(r.all)
	n := min(int(gone/rateStep), keepRates)
	for range n {
		all = append(all, rate)
	}
	r.all = all[max(0, len(all)-keepRates):]
	r.seen = min(r.seen+n, keepRates)
	r.at, r.total = now, finished
}

// miss tells that the counters were another's until now, or not heard.
func (r *rates) miss() {
	if !r.began.IsZero() {
		r.unknown = true
	}
}

// before takes when tasks ended, Unix ms; those from after the first look
// were counted already.
func (r *rates) before(ended []int64) {
	began := r.began.UnixMilli()
	var past [keepRates]int
	far := 0
	for _, t := range ended {
		if k := int((began - t) / rateStep.Milliseconds()); t < began && r.seen+k < keepRates {
			past[k]++
			far = max(far, k+1)
		}
	}
	if far == 0 {
		return
	}
	all := slices.Clone(r.all)
	if short := r.seen + far - len(all); short > 0 {
		all = append(make([]float64, short), all...)
	}
	end := len(all) - r.seen
	for k := range far {
		all[end-1-k] += float64(past[k]) / rateStep.Seconds()
	}
	r.all = all
}
