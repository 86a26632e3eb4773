package text

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

var priorityNames = map[string]uint8{
	"low": task.PriorityLow, "normal": task.PriorityNormal, "high": task.PriorityHigh, "critical": task.PriorityCritical,
}

// ParsePriority reads low, normal, high, critical or a number from 0 to 100.
func ParsePriority(t string) (uint8, error) {
	if p, ok := priorityNames[strings.ToLower(t)]; ok {
		return p, nil
	}
	n, err := strconv.Atoi(t)
	if err != nil || n < 0 || n > task.PriorityCritical {
		return 0, task.Errorf(task.KindUsage, "priority %q is not low, normal, high, critical or a number from 0 to 100", t)
	}
	return uint8(n), nil
}

// ParseDelivery reads at-least-once or at-most-once.
func ParseDelivery(t string) (task.Delivery, error) {
	switch t {
	case task.AtLeastOnce.String():
		return task.AtLeastOnce, nil
	case task.AtMostOnce.String():
		return task.AtMostOnce, nil
	}
	return 0, task.Errorf(task.KindUsage, "delivery %q is not at-least-once or at-most-once", t)
}

// ParseBackoff reads exponential or fixed.
func ParseBackoff(t string) (task.Backoff, error) {
	switch t {
	case "exponential":
		return task.BackoffExponential, nil
	case "fixed":
		return task.BackoffFixed, nil
	}
	return 0, task.Errorf(task.KindUsage, "backoff %q is not exponential or fixed", t)
}

// FormatPriority is a priority as ParsePriority reads it back: its name, if it
// has one.
func FormatPriority(p uint8) string {
	for name, n := range priorityNames {
		if n == p {
			return name
		}
	}
	return strconv.Itoa(int(p))
}

// ParseTimeout reads a timeout as ParseDuration does: seconds ("90") or a duration
// ("10m", "2d"). The result is what Spec.Timeout holds: "0" or "none" is no
// timeout and becomes negative, because zero there means the dispatcher's default.
func ParseTimeout(t string) (time.Duration, error) {
	if t == noTimeout {
		return -1, nil
	}
	d, err := ParseDuration(t)
	if err != nil {
		return 0, task.Errorf(task.KindUsage, "timeout %w", err)
	}
	return timeoutOf(d, t)
}

// ParseGrace reads the time between asking a task to end and killing it. "0" or
// "none" is none at all and becomes negative, as in Spec.Grace.
func ParseGrace(t string) (time.Duration, error) {
	if t == noTimeout {
		return -1, nil
	}
	d, err := ParseDuration(t)
	switch {
	case err != nil:
		return 0, err
	case d < 0:
		return 0, task.Errorf(task.KindUsage, "%q is negative; a duration is 0 or more", t)
	case d > task.MaxTimeout:
		return 0, task.Errorf(task.KindUsage, "%q is longer than %v", t, task.MaxTimeout)
	case d == 0:
		return -1, nil
	}
	return d, nil
}

const noTimeout = "none"

// FormatTimeout is a timeout or a grace of a Spec as ParseTimeout and ParseGrace
// read it back; the default is empty.
func FormatTimeout(d time.Duration) string {
	if d < 0 {
		return noTimeout
	}
	return FormatDuration(d)
}

// TimeoutOf is ParseTimeout for a number of seconds.
func TimeoutOf(seconds float64) (time.Duration, error) {
	text := strconv.FormatFloat(seconds, 'f', -1, 64)
	if !(math.Abs(seconds) <= task.MaxTimeout.Seconds()) {
		return 0, task.Errorf(task.KindUsage, "timeout %s is longer than %v", text, task.MaxTimeout).WithHint("0 is no timeout at all")
	}
	return timeoutOf(time.Duration(seconds*float64(time.Second)), text)
}

// ParseCPUTime reads a limit on processor time as ParseDuration does. 0 is no
// limit.
func ParseCPUTime(t string) (time.Duration, error) {
	d, err := ParseDuration(t)
	switch {
	case err != nil:
		return 0, err
	case d < 0:
		return 0, task.Errorf(task.KindUsage, "%s of processor time is negative; 0 is no limit", t)
	case d > task.MaxCPUTime:
		return 0, task.Errorf(task.KindUsage, "%s of processor time is more than %v", t, task.MaxCPUTime)
	}
	return d, nil
}

func timeoutOf(d time.Duration, text string) (time.Duration, error) {
	switch {
	case d < 0:
		return 0, task.Errorf(task.KindUsage, "timeout %s is negative", text).WithHint("give seconds (90), a duration (10m), or 0 for none")
	case d > task.MaxTimeout:
		return 0, task.Errorf(task.KindUsage, "timeout %s is longer than %v", text, task.MaxTimeout).WithHint("0 is no timeout at all")
	case d == 0:
		return -1, nil
	}
	return d, nil
}

// ParseCPUs reads a number of CPUs, such as "2" or "0.5".
func ParseCPUs(t string) (task.Milli, error) {
	n, err := strconv.ParseFloat(t, 64)
	if err != nil {
		return 0, task.Errorf(task.KindUsage, "cpus %q is not a number", t)
	}
	return CPUsOf(n)
}

// CPUsOf turns a number of CPUs into thousandths. Less than a thousandth is
// refused rather than rounded to the default.
func CPUsOf(n float64) (task.Milli, error) {
	if !(n >= 0.001 && n <= task.MaxCPU/1000) {
		return 0, task.Errorf(task.KindUsage, "cpus %s is not between 0.001 and %d", strconv.FormatFloat(n, 'f', -1, 64), task.MaxCPU/1000)
	}
	return task.Milli(math.Round(n * 1000)), nil
}
