package node

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A service manager hears from a node as long as its loops go round, and not
// from one that hangs.
func TestPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var hangs atomic.Bool
		var heard atomic.Int32
		alive := func(ctx context.Context) error {
			if hangs.Load() {
				<-ctx.Done()
			}
			return ctx.Err()
		}
		go pings(ctx, time.Second, alive, func() { heard.Add(1) })
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		if n := heard.Load(); n != 11 {
			t.Errorf("heard %d times", n)
		}
		hangs.Store(true)
		heard.Store(0)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := heard.Load(); n != 0 {
			t.Errorf("a node that hangs was heard %d times", n)
		}
		hangs.Store(false)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if n := heard.Load(); n < 2 {
			t.Errorf("heard %d times after it goes on", n)
		}
	})
}
