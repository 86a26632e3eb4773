package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/queue/task/text"
)

func removeNode(env *environment, cmd *cobra.Command, args []string) error {
	if err := env.writes(cmd); err != nil {
		return err
	}
	return env.ask(func(ctx context.Context, c *connection) error {
		n, err := c.findNode(ctx, args[0])
		if err != nil {
			return err
		}
		question := fmt.Sprintf("remove %s? it has to be let in anew to come back.", text.CleanLine(n.Name))
		if ok, err := env.confirm(question); !ok || err != nil {
			return err
		}
		ctx, cancel := env.answer()
		defer cancel()
		gone, err := c.Remove(ctx, string(n.ID))
		return printNodeChange(env, gone, err, "is no member any more")
	})
}
