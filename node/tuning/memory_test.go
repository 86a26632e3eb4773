package tuning

import "testing"

func TestGCPercent(t *testing.T) {
	for _, tc := range []struct {
		liveMiB uint64
		want    int
	}{{0, 300}, {1, 300}, {4, 200}, {6, 130}, {8, 100}, {10, 100}, {64, 100}, {65, 95}, {80, 80}, {120, 50}, {160, 40}, {100000, 40}} {
		if got := gcPercent(tc.liveMiB << 20); got != tc.want {
			t.Errorf("%d MiB: %d, want %d", tc.liveMiB, got, tc.want)
		}
	}
}
