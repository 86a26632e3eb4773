package exec

import (
	"fmt"
	"time"
)

// graceOf says how long a command has between the polite and the hard signal.
func graceOf(asked, spec time.Duration) time.Duration {
	g := asked
	if g == 0 {
		g = spec
	}
	if g == 0 {
		g = DefaultGrace
	}
	return max(g, 0)
}

// stopMessage says how a stopped command went.
func stopMessage(reason Reason, spec *Spec, hard, signalled bool, swept int) string {
	msg := "cancelled"
	if reason == ReasonTimeout {
		msg = fmt.Sprintf("ran longer than its timeout of %v", spec.Timeout)
	}
	switch {
	case hard:
		msg += "; it did not end when asked to and was killed"
	case signalled:
		msg += "; it ended when asked to"
	default:
		msg += "; it ended by itself when asked to"
	}
	switch {
	case swept == 1:
		msg += ", with one more process it had started"
	case swept > 1:
		msg += fmt.Sprintf(", with %d more processes it had started", swept)
	}
	return msg
}
