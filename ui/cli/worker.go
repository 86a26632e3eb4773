package cli

import (
	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/queue/task"
)

func newWorkerCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use: "worker", Short: "lend this machine to a cluster", Args: exactly(0, ""),
		Long: `Lend this machine to a cluster. The dispatcher is found by itself; on the same
machine and for the same user nothing has to be set. The first Ctrl-C lets
running tasks end, the second stops at once.`,
		Example: `  octaskly worker
  octaskly worker --name gpu-01 --gpu true --max-jobs 4
  octaskly worker --dispatcher 192.168.1.100 --dispatcher-port 8080`,
		RunE: func(*cobra.Command, []string) error { return serveNode(env, task.RoleWorker) },
	}
	addNodeFlags(env, cmd)
	cmd.Flags().StringVar(&env.start.code, "join", "", "become a member with this `CODE`, made there by octaskly invite")
	cmd.Flags().StringVar(&env.start.file, "join-file", "", "the same with a code in a `FILE`; - is standard input")
	env.look.register(cmd.Flags())
	return cmd
}
