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
	return text.Elapsed(now.Sub(time.UnixMilli(ms)))
}

func timeText(ms int64, now time.Time) string {
	if ms == 0 {
		return ""
	}
	at := time.UnixMilli(ms)
	clock := at.Format("2006-01-02 15:04:05")
	if d := now.Sub(at); d >= 0 {
		return clock + ", " + text.Elapsed(d) + " ago"
	}
	return clock + ", in " + text.Elapsed(at.Sub(now))
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
