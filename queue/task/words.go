package task

import (
	"math"
	"strconv"
	"strings"
	"time"
)

var priorityNames = map[string]uint8{
	"low": PriorityLow, "normal": PriorityNormal, "high": PriorityHigh, "critical": PriorityCritical,
}

// ParsePriority reads low, normal, high, critical or a number from 0 to 100.
func ParsePriority(t string) (uint8, error) {
	if p, ok := priorityNames[strings.ToLower(t)]; ok {
		return p, nil
	}
	n, err := strconv.Atoi(t)
	if err != nil || n < 0 || n > PriorityCritical {
		return 0, Errorf(KindUsage, "priority %q is not low, normal, high, critical or a number from 0 to 100", t)
	}
	return uint8(n), nil
}

// ParseDelivery reads at-least-once or at-most-once.
func ParseDelivery(t string) (Delivery, error) {
	switch t {
	case AtLeastOnce.String():
		return AtLeastOnce, nil
	case AtMostOnce.String():
		return AtMostOnce, nil
	}
	return 0, Errorf(KindUsage, "delivery %q is not at-least-once or at-most-once", t)
}

// ParseBackoff reads exponential or fixed.
func ParseBackoff(t string) (Backoff, error) {
	switch t {
	case "exponential":
		return BackoffExponential, nil
	case "fixed":
		return BackoffFixed, nil
	}
	return 0, Errorf(KindUsage, "backoff %q is not exponential or fixed", t)
}

// String is the word used in JSON and on the command line.
func (b Backoff) String() string {
	if b == BackoffFixed {
		return "fixed"
	}
	return "exponential"
}

// ParseTimeout reads a timeout as ParseSpan does: seconds ("90") or a duration
// ("10m", "2d"). The result is what Spec.Timeout holds: "0" is no timeout and
// becomes negative, because zero there means the dispatcher's default.
func ParseTimeout(t string) (time.Duration, error) {
	d, err := ParseSpan(t)
	if err != nil {
		return 0, Errorf(KindUsage, "timeout %w", err)
	}
	return timeoutOf(d, t)
}

// TimeoutOf is ParseTimeout for a number of seconds.
func TimeoutOf(seconds float64) (time.Duration, error) {
	text := strconv.FormatFloat(seconds, 'f', -1, 64)
	if !(math.Abs(seconds) <= MaxTimeout.Seconds()) {
		return 0, Errorf(KindUsage, "timeout %s is longer than %v", text, MaxTimeout).WithHint("0 is no timeout at all")
	}
	return timeoutOf(time.Duration(seconds*float64(time.Second)), text)
}

// ParseCPUTime reads a limit on processor time as ParseSpan does. 0 is no
// limit.
func ParseCPUTime(t string) (time.Duration, error) {
	d, err := ParseSpan(t)
	switch {
	case err != nil:
		return 0, err
	case d < 0:
		return 0, Errorf(KindUsage, "%s of processor time is negative; 0 is no limit", t)
	case d > MaxCPUTime:
		return 0, Errorf(KindUsage, "%s of processor time is more than %v", t, MaxCPUTime)
	}
	return d, nil
}

func timeoutOf(d time.Duration, text string) (time.Duration, error) {
	switch {
	case d < 0:
		return 0, Errorf(KindUsage, "timeout %s is negative", text).WithHint("give seconds (90), a duration (10m), or 0 for none")
	case d > MaxTimeout:
		return 0, Errorf(KindUsage, "timeout %s is longer than %v", text, MaxTimeout).WithHint("0 is no timeout at all")
	case d == 0:
		return -1, nil
	}
	return d, nil
}

// ParseCPUs reads a number of CPUs, such as "2" or "0.5".
func ParseCPUs(t string) (Milli, error) {
	n, err := strconv.ParseFloat(t, 64)
	if err != nil {
		return 0, Errorf(KindUsage, "cpus %q is not a number", t)
	}
	return CPUsOf(n)
}

// CPUsOf turns a number of CPUs into thousandths. Less than a thousandth is
// refused rather than rounded to the default.
func CPUsOf(n float64) (Milli, error) {
	if !(n >= 0.001 && n <= MaxCPU/1000) {
		return 0, Errorf(KindUsage, "cpus %s is not between 0.001 and %d", strconv.FormatFloat(n, 'f', -1, 64), MaxCPU/1000)
	}
	return Milli(math.Round(n * 1000)), nil
}
