package node

import "testing"

func TestGCPercent(t *testing.T) {
	for _, tc := range []struct {
		liveMiB uint64
		want    int
	}{{0, 100}, {10, 100}, {40, 100}, {41, 95}, {80, 50}, {120, 30}, {160, 25}, {100000, 25}} {
		if got := gcPercent(tc.liveMiB << 20); got != tc.want {
			t.Errorf("%d MiB: %d, want %d", tc.liveMiB, got, tc.want)
		}
	}
}
