package ui

import (
	"slices"
	"testing"
	"time"
)

// What happened before the first look comes in pieces, and each piece counts.
func TestRatesOfThePast(t *testing.T) {
	now := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) int64 { return now.Add(-d).UnixMilli() }
	var r rates
	r.sample(now, 100)
	r.before([]int64{ago(7 * time.Second), ago(7 * time.Second)})
	r.before([]int64{ago(3 * time.Second), ago(time.Second), ago(time.Second)})
	if want := []float64{1, 0, 0.5, 1}; !slices.Equal(r.all, want) {
		t.Fatalf("the past is %v, want %v", r.all, want)
	}
	r.sample(now.Add(2*time.Second), 108)
	r.before([]int64{ago(5 * time.Second), ago(-time.Second)}) // a late piece, and what was counted already
	if want := []float64{1, 0.5, 0.5, 1, 4}; !slices.Equal(r.all, want) {
		t.Errorf("now they are %v, want %v", r.all, want)
	}
}

// However long ago tasks ended and however long nobody looked, no more is kept
// than a chart can show.
func TestRatesAreBounded(t *testing.T) {
	now := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	var r rates
	r.sample(now, 0)
	r.sample(now.Add(10*time.Hour), 10)
	r.before([]int64{now.Add(-time.Second).UnixMilli(), 0})
	if len(r.all) != keepRates {
		t.Errorf("%d are kept, want %d", len(r.all), keepRates)
	}
}
