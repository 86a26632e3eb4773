package tuning

import (
	"runtime"
	"testing"
)

func TestTheLargestWishHolds(t *testing.T) {
	t.Setenv("GOMAXPROCS", "")
	begin := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(begin) })
	screen := AtLeast(usable + 6)
	worker := ForSlots(1)
	if got := runtime.GOMAXPROCS(0); got != usable+6 {
		t.Errorf("%d with both, want %d", got, usable+6)
	}
	screen()
	screen()
	if got := runtime.GOMAXPROCS(0); got != usable+1 {
		t.Errorf("%d after the screen closed, want %d", got, usable+1)
	}
	worker()
	if got := runtime.GOMAXPROCS(0); got != usable {
		t.Errorf("%d at the end, want %d", got, usable)
	}
}

func TestTheEnvironmentStands(t *testing.T) {
	t.Setenv("GOMAXPROCS", "3")
	before := runtime.GOMAXPROCS(0)
	AtLeast(64)()
	if got := runtime.GOMAXPROCS(0); got != before {
		t.Errorf("it was set to %d", got)
	}
}
