package task

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// maxSpan is what a time.Duration can hold, in seconds.
const maxSpan = float64(math.MaxInt64 / int64(time.Second))

// ParseSpan reads a length of time as a person gives it: seconds ("90", "1.5"),
// units ("90s", "10m", "1h30m"), and days of 24 hours before them ("7d",
// "1d12h"). It may be negative; the caller says what it allows.
func ParseSpan(t string) (time.Duration, error) {
	t = strings.TrimSpace(t)
	if s, err := strconv.ParseFloat(t, 64); err == nil && !math.IsNaN(s) {
		return spanOf(s, t)
	}
	rest, sign := t, 1.0
	if cut, ok := strings.CutPrefix(t, "-"); ok {
		rest, sign = cut, -1
	}
	var days float64
	if number, after, ok := strings.Cut(rest, "d"); ok {
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || !(n >= 0) || strings.HasPrefix(after, "-") || strings.HasPrefix(after, "+") {
			return 0, notASpan(t)
		}
		days, rest = n, after
	}
	var d time.Duration
	if rest != "" || days == 0 && !strings.Contains(t, "d") {
		var err error
		if d, err = time.ParseDuration(rest); err != nil {
			return 0, notASpan(t)
		}
	}
	if days == 0 {
		return time.Duration(sign) * d, nil
	}
	return spanOf(sign*(days*24*3600+d.Seconds()), t)
}

func spanOf(seconds float64, t string) (time.Duration, error) {
	if math.Abs(seconds) > maxSpan {
		return 0, Errorf(KindUsage, "%.40q is longer than %v", t, time.Duration(math.MaxInt64).Truncate(time.Hour))
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

func notASpan(t string) error {
	return Errorf(KindUsage, "%q is not a duration; write seconds (90) or a unit (90s, 10m, 1h30m, 7d)", t)
}
