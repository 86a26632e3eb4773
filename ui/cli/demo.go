package cli

import (
	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/demo"
)

func newDemoCommand(env *environment) *cobra.Command {
	var nodes, tasks int
	var seed uint64
	cmd := &cobra.Command{
		Use: "demo", Short: "look at a fleet that does not exist", Args: exactly(0, ""),
		Long: `Open the dashboard on a simulated fleet. Nothing is run and no socket is opened;
the same seed gives the same fleet.`,
		Example: `  octaskly demo
  octaskly demo --demo-nodes 1000 --demo-tasks 1000000 --seed 7`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if nodes < 1 || nodes > 10_000 {
				return usageOf(cmd, "--demo-nodes %d is not between 1 and 10000", nodes)
			}
			if tasks < 0 || tasks > 5_000_000 {
				return usageOf(cmd, "--demo-tasks %d is not between 0 and 5000000", tasks)
			}
			if err := requireTerminal(env); err != nil {
				return err
			}
			env.look.demo = true
			_, err := openScreen(env, env.ctx, demo.New(demo.Options{Nodes: nodes, Tasks: tasks, Seed: seed}), false)
			return err
		},
	}
	cmd.Flags().IntVar(&nodes, "demo-nodes", 8, "how many nodes")
	cmd.Flags().IntVar(&tasks, "demo-tasks", 10_000, "how many tasks")
	cmd.Flags().Uint64Var(&seed, "seed", 7, "which fleet")
	env.look.register(cmd.Flags())
	return cmd
}
