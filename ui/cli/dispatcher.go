package cli

import (
	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/queue/task"
)

func newDispatcherCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use: "dispatcher", Short: "hold the queue of a cluster, and work for it too", Args: exactly(0, ""),
		Long: `Hold the queue of a cluster and give its tasks to the workers. It works too
unless --max-jobs is 0. The first Ctrl-C lets running tasks end, the second
stops at once; nothing that was acknowledged is lost either way.`,
		Example: `  octaskly dispatcher
  octaskly dispatcher --port 8080 --bind 192.168.1.100 --require-auth true
  octaskly dispatcher --max-queue-size 50000 --max-workers 100`,
		RunE: func(*cobra.Command, []string) error { return serveNode(env, task.RoleDispatcher) },
	}
	addNodeFlags(env, cmd)
	env.look.register(cmd.Flags())
	return cmd
}
