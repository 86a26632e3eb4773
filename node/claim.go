package node

import (
	"context"
	"errors"
	"time"

	"github.com/adauldev/octaskly/node/client"
	"github.com/adauldev/octaskly/node/home"
	"github.com/adauldev/octaskly/queue/task"
)

// endWait is how long a dispatcher waits for the one before it to end, or for one
// that starts at the same time.
const endWait = 15 * time.Second

// claim takes a slot, and for a dispatcher the turn to become one. It has
// patience: while the node that has the queue is just ending it waits, and when
// it lives it is named.
func claim(ctx context.Context, opt Options) (*home.Slot, *home.Turn, error) {
	ctx, cancel := context.WithTimeout(ctx, endWait)
	defer cancel()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for seen := 0; ; {
		slot, turn, err := tryClaim(opt)
		if !errors.Is(err, home.ErrQueueBusy) && !errors.Is(err, home.ErrBusy) {
			return slot, turn, err
		}
		// Others may still name a dispatcher that is just ending.
		if name, ok := client.DispatcherHere(ctx, opt.Paths, 0); ok {
			if seen++; seen > 3 {
				return nil, nil, errSecond(name)
			}
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, nil, task.Errorf(task.KindConflict, "another node of this user runs or starts as the dispatcher, and does not answer").
				WithHint("stop it, then start this one")
		}
	}
}

func tryClaim(opt Options) (*home.Slot, *home.Turn, error) {
	var turn *home.Turn
	dispatcher := opt.Role == task.RoleDispatcher
	if dispatcher && !opt.Private {
		var err error
		if turn, err = home.TakeTurn(opt.Paths.Cluster); err != nil {
			return nil, nil, err
		}
	}
	slot, err := home.Claim(opt.Paths.Nodes, opt.Config.NodeDir, dispatcher, home.Machine())
	if err != nil {
		turn.End()
		return nil, nil, err
	}
	if slot.MovedFrom != "" && opt.Logger != nil {
		opt.Logger.Warn("this node's directory was last used on another machine: it must not run on both", "dir", slot.Path(), "machine", slot.MovedFrom)
	}
	return slot, turn, nil
}

func errSecond(name string) error {
	return task.Errorf(task.KindConflict, "node %s of this user dispatches on this machine already", name).
		WithHint("use it: octaskly status\nadd a worker instead: octaskly worker\nor stop it first, then start this one")
}
