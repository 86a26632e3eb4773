package node

import (
	"context"
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
		hangs, heard := false, 0
		alive := func(ctx context.Context) error {
			if hangs {
				<-ctx.Done()
			}
			return ctx.Err()
		}
		go pings(ctx, time.Second, alive, func() { heard++ })
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		if heard != 11 {
			t.Errorf("heard %d times", heard)
		}
		hangs, heard = true, 0
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if heard != 0 {
			t.Errorf("a node that hangs was heard %d times", heard)
		}
		hangs = false
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if heard < 2 {
			t.Errorf("heard %d times after it goes on", heard)
		}
	})
}
