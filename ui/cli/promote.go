package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/control/document"
	"github.com/adauldev/octaskly/queue/task/text"
)

func newPromoteCommand(env *environment) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use: "promote", Short: "make the node here the dispatcher", Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := env.writes(cmd); err != nil {
				return err
			}
			return env.ask(func(ctx context.Context, c *connection) error {
				s, err := c.Promote(ctx, control.PromoteRequest{Force: force})
				switch {
				case err != nil:
					return err
				case env.out.json:
					return env.out.object(document.StatusOf(&s))
				case env.out.quiet:
					return nil
				}
				return env.out.line("%s dispatches now", text.CleanLine(s.Dispatcher))
			})
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "although another one may be alive: what it has not handed over is lost")
	return cmd
}
