package queue

import (
	"testing"
	"time"
)

// TestObservedTime: what is old is counted by time that passed, not by what a clock says.
func TestObservedTime(t *testing.T) {
	start := time.UnixMilli(1_700_000_000_000)
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		lastFinish time.Duration // before the start
		jump       time.Duration // of the wall clock, beside what passes
		want       time.Duration // after an hour, from the start
	}{
		"a right clock":               {0, 0, time.Hour},
		"off for a week":              {7 * day, 0, time.Hour - 7*day},
		"the clock jumps ahead":       {0, 16 * day, time.Hour},
		"the clock goes back":         {0, -16 * day, time.Hour - 16*day},
		"it was ahead when one ended": {-8 * day, 0, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			var o observedTime
			o.begin(start, start.Add(-c.lastFinish).UnixMilli())
			got := o.advance(start.Add(time.Hour+c.jump).UnixMilli(), time.Hour)
			if want := start.Add(c.want).UnixMilli(); got != want {
				t.Errorf("observed %v, want %v", time.UnixMilli(got).Sub(start), c.want)
			}
		})
	}
}
