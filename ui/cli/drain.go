package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

func newDrainCommand(env *environment) *cobra.Command {
	var wait bool
	var deadline string
	cmd := &cobra.Command{
		Use: "drain NODE", Short: "give a node no more tasks", Args: exactly(1, "the name of a node"),
		Long: "Give a node no more tasks; what runs there goes on. It stays so until octaskly\nundrain, also when the node is restarted.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := env.writes(cmd); err != nil {
				return err
			}
			limit := time.Duration(0)
			if deadline != "" {
				var err error
				if limit, err = config.ParseDuration(deadline); err != nil {
					return task.Errorf(task.KindUsage, "--deadline: %w", err)
				}
			}
			return drainNode(env, args[0], wait || limit > 0, limit)
		},
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until nothing runs there any more")
	cmd.Flags().StringVar(&deadline, "deadline", "", "wait at most this `DURATION`, then end with code 7")
	return cmd
}

// drainPoll is how often a drain looks whether the node is empty, beside the
// events that tell of it.
const drainPoll = 500 * time.Millisecond

func drainNode(env *environment, name string, wait bool, limit time.Duration) error {
	c, err := env.connect()
	if err != nil {
		return err
	}
	defer c.close()
	ctx, cancel := env.answer()
	n, err := c.Drain(ctx, name)
	cancel()
	if err != nil || !wait {
		return printNodeChange(env, n, withHints(err), "takes no more tasks")
	}
	until := time.Now().Add(limit)
	for running := int32(-1); n.State == control.NodeDraining || n.Used.Tasks > 0; {
		if n.Used.Tasks != running {
			running = n.Used.Tasks
			env.out.say("%s: %s left", text.CleanLine(n.Name), plural(int(running), "task"))
		}
		if limit > 0 && time.Now().After(until) {
			return task.Errorf(task.KindTimeout, "%s still runs %s after %s", n.Name, plural(int(running), "task"), text.Elapsed(limit))
		}
		select {
		case <-env.ctx.Done():
			return context.Cause(env.ctx)
		case <-time.After(drainPoll):
		}
		ctx, cancel := env.answer()
		found, err := c.findNode(ctx, string(n.ID))
		cancel()
		if err != nil {
			return withHints(err)
		}
		n = *found
	}
	return printNodeChange(env, n, nil, "is drained")
}
