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
	if got := p.pace(now.Add(time.Second)); got != rest {
		t.Errorf("after a key: %v", got)
	}
	p.slow.Store(true)
	if got := p.pace(now.Add(time.Second)); got != quietly {
		t.Errorf("behind another window: %v", got)
	}
	if got := p.pace(now.Add(aWhile + time.Second)); got != alone {
		t.Errorf("where nobody is: %v", got)
	}
}

// What goes to the terminal while nobody is there stays within the budget,
// however dear single frames are.
func TestDebt(t *testing.T) {
	for _, frame := range []int64{0, 300, 1499, 1501, 4000, 7000} {
		var d debt
		now, sent, frames := time.Now(), int64(0), 0
		begin := now
		for now.Sub(begin) < 10*time.Minute {
			sent += frame
			frames++
			now = now.Add(alone)
			now = now.Add(d.wait(now, sent))
		}
		rate := float64(sent-frame) / now.Sub(begin).Seconds()
		if rate > restBytes+1 {
			t.Errorf("frames of %d bytes: %.0f bytes a second", frame, rate)
		}
		if want := int(10 * time.Minute / max(alone, time.Duration(frame)*time.Second/restBytes)); frames < want {
			t.Errorf("frames of %d bytes: %d in ten minutes, want %d", frame, frames, want)
		}
	}
	var d debt
	now := time.Now()
	d.wait(now, 0)
	if got := d.wait(now.Add(alone), 1<<20); got != longest {
		t.Errorf("after a frame of a megabyte: %v", got)
	}
	if got := d.wait(now.Add(time.Minute), 2<<20); got != 0 {
		t.Errorf("a person was there: %v", got)
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
