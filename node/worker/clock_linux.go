package worker

import (
	"time"

	"golang.org/x/sys/unix"
)

// bootClock goes on while the machine sleeps, which Go's monotonic clock does
// not: a laptop that wakes must find its leases ended.
func bootClock() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) != nil {
		return time.Since(processStart)
	}
	return time.Duration(ts.Nano())
}

var processStart = time.Now()
