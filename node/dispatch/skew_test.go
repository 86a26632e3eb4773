package dispatch

import (
	"testing"
	"time"
)

// A clock that differs is seen in spite of heartbeats that come late, and one
// that was set is forgotten within a few.
func TestSkew(t *testing.T) {
	now := time.UnixMilli(1_000_000_000)
	var s skew
	if s.ahead() != 0 {
		t.Error("something is known before the first heartbeat")
	}
	beat := func(clock, late time.Duration) {
		now = now.Add(time.Second)
		s.note(now.Add(clock-late).UnixMilli(), now, 2*time.Millisecond)
	}
	for i := range 20 {
		beat(-3*time.Second, time.Duration(i%5)*time.Second)
	}
	if got := s.ahead(); got < -3*time.Second || got > -2900*time.Millisecond {
		t.Errorf("three seconds behind: %v", got)
	}
	for range 8 {
		beat(0, 0)
	}
	if got := s.ahead(); got.Abs() > 5*time.Millisecond {
		t.Errorf("after it was set: %v", got)
	}
	beat(10*time.Second, 0)
	if got := s.ahead(); got < 9*time.Second {
		t.Errorf("ten seconds ahead: %v", got)
	}
	s.note(0, now, 0)
	if got := s.ahead(); got < 9*time.Second {
		t.Errorf("a heartbeat without a time changed it: %v", got)
	}
}
