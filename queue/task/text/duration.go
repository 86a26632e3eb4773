package text

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// longestDuration is what a time.Duration can hold, in seconds.
const longestDuration = float64(math.MaxInt64 / int64(time.Second))

// ParseDuration reads a length of time as a person gives it: seconds ("90", "1.5"),
// units ("90s", "10m", "1h30m"), and days of 24 hours before them ("7d",
// "1d12h"). It may be negative; the caller says what it allows.
func ParseDuration(t string) (time.Duration, error) {
	t = strings.TrimSpace(t)
	if s, err := strconv.ParseFloat(t, 64); err == nil && !math.IsNaN(s) {
		return durationOf(s, t)
	}
	rest, sign := t, 1.0
	if cut, ok := strings.CutPrefix(t, "-"); ok {
		rest, sign = cut, -1
	}
	var days float64
	if number, after, ok := strings.Cut(rest, "d"); ok {
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || !(n >= 0) || strings.HasPrefix(after, "-") || strings.HasPrefix(after, "+") {
			return 0, notADuration(t)
		}
		days, rest = n, after
	}
	var d time.Duration
	if rest != "" || days == 0 && !strings.Contains(t, "d") {
		var err error
		if d, err = time.ParseDuration(rest); err != nil {
			return 0, notADuration(t)
		}
	}
	if days == 0 {
		return time.Duration(sign) * d, nil
	}
	return durationOf(sign*(days*24*3600+d.Seconds()), t)
}

func durationOf(seconds float64, t string) (time.Duration, error) {
	if math.Abs(seconds) > longestDuration {
		return 0, task.Errorf(task.KindUsage, "%.40q is longer than %v", t, time.Duration(math.MaxInt64).Truncate(time.Hour))
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

// FormatDuration is a length of time as ParseDuration reads it back and as people
// type it: 10m, not 10m0s; 0 is empty.
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return ""
	}
	t := d.String()
	if short, ok := strings.CutSuffix(t, "m0s"); ok {
		t = short + "m"
	}
	if short, ok := strings.CutSuffix(t, "h0m"); ok {
		t = short + "h"
	}
	return t
}

// Elapsed is how long something took, for people: at most two units. Less than
// nothing is nothing.
func Elapsed(d time.Duration) string {
	d = max(0, d)
	switch {
	case d < time.Second:
		return fmt.Sprintf("%.2fs", d.Seconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

func notADuration(t string) error {
	return task.Errorf(task.KindUsage, "%q is not a duration; write seconds (90) or a unit (90s, 10m, 1h30m, 7d)", t)
}
