package text

import (
	"strings"
	"testing"
	"time"
)

func TestParseSpan(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"90": 90 * time.Second, "1.5": 1500 * time.Millisecond, "0": 0, "0s": 0, "10m": 10 * time.Minute, "1h30m": 90 * time.Minute,
		"1d": day, "0.5d": day / 2, "1d12h": day + 12*time.Hour, "7d1s": 7*day + time.Second, "0d": 0, "0d5m": 5 * time.Minute,
		" 3s ": 3 * time.Second, "-90": -90 * time.Second, "-2d": -2 * day, "-1d12h": -day - 12*time.Hour, "250ms": 250 * time.Millisecond,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-", "d", "x", "soon", "NaN", "1d-2h", "1d+2h", "--1d", "NaNd", "1d2d", "1h1d", "1e400", "Inf", "Infd", "1e9d", "200000d", "5 m"} {
		if d, err := ParseDuration(text); err == nil {
			t.Errorf("%q is %v", text, d)
		}
	}
	if _, err := ParseTimeout("20000h"); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("a timeout that is too long: %v", err)
	}
}

func FuzzParseSpan(f *testing.F) {
	for _, s := range []string{"90", "1.5", "1d12h", "-2d", "10m", "NaN", "1e400"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := ParseDuration(text); err == nil {
			if _, again := ParseDuration(d.String()); again != nil {
				t.Errorf("%q is %v, which is refused: %v", text, d, again)
			}
		}
	})
}
