package text

import (
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

func TestWords(t *testing.T) {
	for text, want := range map[string]uint8{"low": 25, "NORMAL": 50, "high": 75, "critical": 100, "0": 0, "100": 100} {
		if got, err := ParsePriority(text); err != nil || got != want {
			t.Errorf("priority %s is %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "101", "urgent"} {
		if _, err := ParsePriority(text); err == nil {
			t.Errorf("priority %q is accepted", text)
		}
	}
	for text, want := range map[string]time.Duration{"90": 90 * time.Second, "10m": 10 * time.Minute, "2d": 48 * time.Hour, "0": -1, "0s": -1} {
		if got, err := ParseTimeout(text); err != nil || got != want {
			t.Errorf("timeout %s is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "-1s", "x", "NaN", "Inf", "1e400", "20000h"} {
		if d, err := ParseTimeout(text); err == nil {
			t.Errorf("timeout %q is %v", text, d)
		}
	}
	for _, text := range []string{"0", "-1", "NaN", "Inf", "1e9", "x", "0.0001"} {
		if n, err := ParseCPUs(text); err == nil {
			t.Errorf("cpus %q is %v", text, n)
		}
	}
	for _, d := range []task.Delivery{task.AtLeastOnce, task.AtMostOnce} {
		if got, err := ParseDelivery(d.String()); err != nil || got != d {
			t.Errorf("delivery %s: %v, %v", d, got, err)
		}
	}
	for _, b := range []task.Backoff{task.BackoffExponential, task.BackoffFixed} {
		if got, err := ParseBackoff(b.String()); err != nil || got != b {
			t.Errorf("backoff %s: %v, %v", b, got, err)
		}
	}
}
