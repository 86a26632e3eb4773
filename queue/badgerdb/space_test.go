package badgerdb

import (
	"log/slog"
	"testing"
	"time"
)

func TestSpaceMarks(t *testing.T) {
	free := int64(1000)
	s := NewSpace(SpaceOptions{Dir: t.TempDir(), MinFree: 400, Ballast: 100, Logger: slog.New(slog.DiscardHandler)}, nil)
	s.free = func(string) (int64, error) { return free, nil }
	now := time.Now()
	s.clock = func() time.Time { now = now.Add(time.Second); return now }
	s.KeepBallast()
	if !s.ballOn {
		t.Fatal("no ballast")
	}
	for _, c := range []struct {
		free                 int64
		submit, grant, write bool
	}{{1000, true, true, true}, {400, true, true, true}, {399, false, true, true}, {199, false, false, true}, {99, false, false, false}} {
		free = c.free
		if (s.MaySubmit() == nil) != c.submit || (s.MayLease() == nil) != c.grant || (s.MayWrite() == nil) != c.write {
			t.Errorf("with %d free: %v, %v, %v", c.free, s.MaySubmit(), s.MayLease(), s.MayWrite())
		}
	}
	if s.ballOn {
		t.Error("the ballast was kept")
	}
}
