package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/queue/task"
)

func newRetryCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "retry ID…", Short: "run finished tasks again, as new ones", Args: atLeast(1, "the number of a task"),
		Example: "  octaskly retry 42",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := env.writes(cmd); err != nil {
				return err
			}
			ids, err := parseIDs(args)
			if err != nil {
				return err
			}
			return env.ask(func(ctx context.Context, c *connection) error {
				return forEachTask(env, ids, func(id task.ID) error { return retryTask(env, ctx, c, id) })
			})
		},
	}
}

func retryTask(env *environment, ctx context.Context, c *connection, id task.ID) error {
	t, err := c.Get(ctx, id)
	if err != nil {
		return err
	}
	if !t.State.Terminal() {
		return task.Errorf(task.KindConflict, "task %s is %s; only a finished task can be run again", id, t.State).
			WithHint("end it first:  octaskly cancel %s", id)
	}
	sub := submission{NewTask: task.NewTask{Spec: t.Spec}}
	sub.Spec.RetryOf = id
	n, ahead, err := c.submit(ctx, &sub, false)
	if err != nil {
		return err
	}
	return printSubmitted(env, ctx, c, n, ahead)
}
