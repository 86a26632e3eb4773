package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/queue/task"
)

// How long an admit waits, for a person may be asked there, and when it says so.
const (
	admitTime = 3 * time.Minute
	admitSays = 3 * time.Second
)

func admitNode(env *environment, cmd *cobra.Command, args []string) error {
	if err := env.writes(cmd); err != nil {
		return err
	}
	name := ""
	if len(args) == 2 {
		name = args[1]
		if why := config.BadName(name); why != "" {
			return task.Errorf(task.KindUsage, "%s", why)
		}
	}
	return env.ask(func(ctx context.Context, c *connection) error {
		if env.flags.timeout == "" {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(env.ctx, admitTime)
			defer cancel()
		}
		if !env.out.quiet {
			t := time.AfterFunc(admitSays, func() {
				fmt.Fprintln(env.Stderr, "asking …  (somebody at that node's screen may have to agree)")
			})
			defer t.Stop()
		}
		n, err := c.Admit(ctx, args[0], name)
		return printNodeChange(env, n, err, "is a member now")
	})
}
