package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

func newInviteCommand(env *environment) *cobra.Command {
	var uses int
	var ttl, role, out string
	cmd := &cobra.Command{
		Use: "invite", Short: "make a code that lets other machines in", Args: exactly(0, ""),
		Long: `Make a code that lets other machines in. For one use within ten minutes it is
short enough to type; otherwise it is long and meant for a file.`,
		Example: `  octaskly invite
  octaskly invite --uses 20 --ttl 24h --out join.code`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := env.writes(cmd); err != nil {
				return err
			}
			r := control.InviteRequest{Uses: uses, Role: task.Role(role)}
			switch r.Role {
			case "", task.RoleWorker, task.RoleClient, task.RoleAdmin:
			default:
				return task.Errorf(task.KindUsage, "--role %q is not worker, client or admin", role)
			}
			if uses < 1 {
				return task.Errorf(task.KindUsage, "--uses %d is below 1", uses)
			}
			var err error
			if r.TTL, err = parseTTL(ttl, "a code that holds no time lets nobody in"); err != nil {
				return err
			}
			return env.ask(func(ctx context.Context, c *connection) error {
				i, err := c.Invite(ctx, r)
				if err != nil {
					return err
				}
				return printInvite(env, &i, out)
			})
		},
	}
	cmd.Flags().IntVar(&uses, "uses", 1, "how many machines may use it")
	cmd.Flags().StringVar(&ttl, "ttl", "", "how long it holds, a `DURATION` (default 10m)")
	cmd.Flags().StringVar(&role, "role", "", "what they may be: worker, client, admin (default worker and client)")
	cmd.Flags().StringVar(&out, "out", "", "write the code into this new `FILE`, which only you can read")
	return cmd
}

// parseTTL reads --ttl: 0 if it was not given. none says why it cannot be nothing.
func parseTTL(ttl, none string) (time.Duration, error) {
	if ttl == "" {
		return 0, nil
	}
	d, err := config.ParseDuration(ttl)
	if err != nil {
		return 0, task.Errorf(task.KindUsage, "--ttl: %w", err)
	}
	if d == 0 {
		return 0, task.Errorf(task.KindUsage, "--ttl %s: %s", ttl, none)
	}
	return d, nil
}

type inviteObject struct {
	Code    *string     `json:"code"` // null when it was written into a file
	File    *string     `json:"file"`
	Roles   []task.Role `json:"roles"`
	Uses    int         `json:"uses"`
	Expires *string     `json:"expires"`
}

func printInvite(env *environment, i *control.Invite, path string) error {
	shown := i.Code
	if path != "" {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return task.Errorf(task.KindUsage, "--out: %w", err)
		}
		_, err = f.WriteString(i.Code + "\n")
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return fmt.Errorf("write the code: %w", err)
		}
		shown = ""
	}
	if env.out.json {
		return env.out.object(inviteObject{orNull(shown), orNull(path), notNil(i.Roles), i.Uses, stamp(i.Expires)})
	}
	what := shown
	if path != "" {
		what = path
	}
	if err := env.out.line("%s", what); err != nil {
		return err
	}
	left := text.Elapsed(time.Until(time.UnixMilli(i.Expires)))
	env.out.say("good for %s within %s", plural(i.Uses, "use"), left)
	switch {
	case path != "":
		env.out.say("  on the other machine:  octaskly join --join-file %s", text.QuoteShell(path))
	case i.Long:
		env.out.say("  on the other machine:  octaskly join --join-file FILE, with the code in it")
	default:
		env.out.say("  on the other machine:  octaskly join %s", i.Code)
	}
	return nil
}
