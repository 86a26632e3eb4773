package node

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// TestLostDispatcherIsNamed: who asks while the dispatcher is away is told, before a
// program's own ten seconds are over, which one is waited for and since when; and
// never in the words of the runtime.
func TestLostDispatcherIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := upstream{name: "mill", lost: time.Now()}
		for _, limit := range []time.Duration{10 * time.Second, 2 * time.Second} {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			begun := time.Now()
			_, err := up.OpenRPC(ctx)
			cancel()
			if took := time.Since(begun); took > patience || took > limit {
				t.Errorf("an answer after %s of %s", took, limit)
			}
			if task.KindOf(err) != task.KindNoDispatcher || errors.Is(err, context.DeadlineExceeded) ||
				!strings.Contains(err.Error(), "the dispatcher mill has not answered for ") {
				t.Errorf("within %s: %v", limit, err)
			}
		}
	})
}
