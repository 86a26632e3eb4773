package queue

import (
	"errors"
	"sync"
	"testing"
	"time"
)

// TestThenNeverOnTheCallersStack: what is called may take a lock that the
// caller of Then holds, also when the change has settled before.
func TestThenNeverOnTheCallersStack(t *testing.T) {
	for name, ask := range map[string]func() *Pending[int]{
		"settled": func() *Pending[int] { p := &Pending[int]{}; p.settle(1, nil); return p },
		"refused": func() *Pending[int] { return failed[int](errors.New("no space")) },
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			asked, called := ask(), make(chan struct{})
			done := make(chan struct{})
			go func() {
				mu.Lock()
				asked.Then(func(int, error) { mu.Lock(); defer mu.Unlock(); close(called) })
				mu.Unlock()
				close(done)
			}()
			for _, c := range []chan struct{}{done, called} {
				select {
				case <-c:
				case <-time.After(10 * time.Second):
					t.Fatal("it hangs on the caller's lock")
				}
			}
		})
	}
}
