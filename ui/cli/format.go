package cli

import (
	"fmt"
	"strconv"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task/text"
)

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func itoa(n int) string { return strconv.Itoa(n) }

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// ago is how long ago a time was, for a column.
func ago(now time.Time, ms int64) string {
	if ms == 0 {
		return "-"
	}
	return span(now.Sub(time.UnixMilli(ms)))
}

// span is a duration for people, in at most two units.
func span(d time.Duration) string {
	if d < 0 {
		d = 0
	}
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

func timeText(ms int64, now time.Time) string {
	if ms == 0 {
		return ""
	}
	t := time.UnixMilli(ms)
	text := t.Format("2006-01-02 15:04:05")
	if d := now.Sub(t); d >= 0 {
		return text + ", " + span(d) + " ago"
	}
	return text + ", in " + span(t.Sub(now))
}

func orZero(s *string) *string {
	if s == nil {
		return new(string)
	}
	return s
}

// orNull is a text in JSON: absent is null.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// stamp is a time in JSON: RFC 3339, UTC, milliseconds; null for 0.
func stamp(ms int64) *string { return text.Stamp(ms) }

func notNil[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}

func percent(n *control.Node) string {
	if n.Load.MemTotalMB == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f%%", n.Load.CPUPercent)
}
