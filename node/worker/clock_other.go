//go:build !linux

package worker

import "time"

// bootClock follows the wall clock where there is no clock that both ignores
// corrections and goes on while the machine sleeps: a correction can end
// leases early, which costs a second run, never two records.
func bootClock() time.Duration { return time.Since(processStart.Round(0)) }

var processStart = time.Now()
