package part

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Dur is a duration as lists show it, at most six cells: 0.4s, 38s, 1m03s, 4h12m, 6d.
func Dur(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < 10*time.Second && d%time.Second != 0:
		return fmt.Sprintf("%.1fs", math.Floor(d.Seconds()*10)/10)
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	case d < 1000*24*time.Hour:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
	return "ages"
}

// Age is how long ago something was, in one unit: 3s, 4m, 2h, 6d.
func Age(d time.Duration) string {
	switch {
	case d < time.Second:
		return "now"
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	case d < 1000*24*time.Hour:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
	return "ages"
}

// Clock is a duration as hours, minutes and seconds: 00:00:44.
func Clock(d time.Duration) string {
	s := max(0, int(d.Seconds()))
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}

// Count is a number with its thousands apart: 1 204.
func Count(n int) string {
	s := strconv.Itoa(n)
	neg := n < 0
	if neg {
		s = s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	if neg {
		return "-" + s
	}
	return s
}

// Short is a number in at most five cells: 9 748, 31k, 1.2M.
func Short(n int) string {
	if n < 10_000 {
		return Count(n)
	}
	v, unit := float64(n)/1000, 0
	for v >= 999.5 && unit < 3 {
		v /= 1000
		unit++
	}
	if v < 9.95 {
		return fmt.Sprintf("%.1f%c", v, "kMGT"[unit])
	}
	return fmt.Sprintf("%.0f%c", v, "kMGT"[unit])
}

// Bytes is a size in at most five cells: 590M, 1.6G.
func Bytes(n int64) string {
	if n < 1024 {
		return strconv.FormatInt(max(0, n), 10) + "B"
	}
	v, unit := float64(n)/1024, 0
	for v >= 999.5 && unit < 4 {
		v /= 1024
		unit++
	}
	if v < 9.95 {
		return fmt.Sprintf("%.1f%c", v, "kMGTP"[unit])
	}
	return fmt.Sprintf("%.0f%c", v, "kMGTP"[unit])
}

// Rate is a number per second with one digit after the point where it helps.
func Rate(v float64) string {
	if !(v >= 0) || math.IsInf(v, 0) {
		return "0"
	}
	if v >= 100 {
		return Count(int(math.Round(v)))
	}
	if v == math.Trunc(v) && v >= 10 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.1f", v)
}

// Plural is a count and its word: 1 task, 2 tasks.
func Plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + one + "s"
}
