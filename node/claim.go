package node

import (
	"context"
	"errors"
	"time"

	"github.com/adauldev/octaskly/node/client"
	"github.com/adauldev/octaskly/node/home"
	"github.com/adauldev/octaskly/queue/task"
)

// endWait is how long a dispatcher waits for the one before it to end.
const endWait = 15 * time.Second

// claim takes a slot, with patience: while the node that has the queue is just
// ending it waits, and when it lives it is named.
func claim(ctx context.Context, opt Options) (*home.Slot, error) {
	ctx, cancel := context.WithTimeout(ctx, endWait)
	defer cancel()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for seen := 0; ; {
		s, err := home.Claim(opt.Paths.Nodes, opt.Config.NodeDir, opt.Role == task.RoleDispatcher)
		if !errors.Is(err, home.ErrQueueBusy) {
			return s, err
		}
		// Others may still name a dispatcher that is just ending.
		if name, ok := client.DispatcherHere(ctx, opt.Paths, 0); ok {
			if seen++; seen > 3 {
				return nil, errSecond(name)
			}
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, task.Errorf(task.KindConflict, "the node that has this user's queue runs and does not answer").
				WithHint("stop it, then start this one")
		}
	}
}

func errSecond(name string) error {
	return task.Errorf(task.KindConflict, "node %s of this user dispatches on this machine already", name).
		WithHint("use it: octaskly status\nadd a worker instead: octaskly worker\nor stop it first, then start this one")
}
