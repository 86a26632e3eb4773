package ui

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestPace(t *testing.T) {
	p := &pump{}
	now := time.Now()
	p.used.Store(now.UnixMilli())
	if got := p.pace(now.Add(time.Second), 1<<20); got != rest {
		t.Errorf("after a key: %v", got)
	}
	p.slow.Store(true)
	if got := p.pace(now.Add(time.Second), 1<<20); got != quietly {
		t.Errorf("behind another window: %v", got)
	}
	later := now.Add(aWhile + time.Second)
	for cost, want := range map[int64]time.Duration{0: alone, restBytes: alone, 5 * restBytes: 5 * time.Second, 1 << 20: longest} {
		if got := p.pace(later, cost); got != want {
			t.Errorf("where nobody is and a frame takes %d bytes: %v, want %v", cost, got, want)
		}
	}
}

// Where nobody is and frames are dear, one is drawn soon all the same when a
// node is lost.
func TestNewsIsDrawnSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPump(nil, nil, nil)
		long := func() time.Duration {
			begin := time.Now()
			p.pause(t.Context(), longest)
			return time.Since(begin)
		}
		if got := long(); got != longest {
			t.Errorf("without news: %v", got)
		}
		time.AfterFunc(300*time.Millisecond, func() { p.news <- struct{}{} })
		if got := long(); got != alone {
			t.Errorf("news at once after a frame: %v, want %v", got, alone)
		}
		time.AfterFunc(5*time.Second, func() { p.news <- struct{}{} })
		if got := long(); got != 5*time.Second {
			t.Errorf("news a while after a frame: %v", got)
		}
	})
}
