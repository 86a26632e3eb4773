package cli

import "github.com/spf13/cobra"

func newUICommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use: "ui", Short: "look at a node that runs already", Args: exactly(0, ""),
		Long: `Open the dashboard on the node that runs here. Leaving it leaves the node as it
is. It works over SSH too:  ssh -t HOST octaskly ui`,
		RunE: func(*cobra.Command, []string) error {
			if err := requireTerminal(env); err != nil {
				return err
			}
			c, err := env.connect()
			if err != nil {
				return err
			}
			defer c.close()
			_, err = openScreen(env, env.ctx, c, true)
			return err
		},
	}
	env.look.register(cmd.Flags())
	return cmd
}
