package dispatch

import (
	"sync"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// A change that comes while somebody begins to follow does not hold him up.
func TestFollowWhileItChanges(t *testing.T) {
	d := &Dispatcher{follows: make(map[task.ID]map[*follower]struct{})}
	var wg sync.WaitGroup
	defer wg.Wait()
	stop := make(chan struct{})
	defer close(stop)
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				d.notifyID(1)
			}
		}
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 20_000 {
			_ = d.follow(t.Context(), control.FollowRequest{ID: 1}).Close()
		}
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("following never began")
	}
}
