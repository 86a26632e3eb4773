package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func newUndrainCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "undrain NODE", Short: "give a node tasks again", Args: exactly(1, "the name of a node"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := env.writes(cmd); err != nil {
				return err
			}
			return env.ask(func(ctx context.Context, c *connection) error {
				n, err := c.Undrain(ctx, args[0])
				return printNodeChange(env, n, err, "takes tasks again")
			})
		},
	}
}
