package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

func newTokenCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "let programs ask through REST", Args: exactly(0, "")}
	cmd.AddCommand(newTokenCreateCommand(env))
	return cmd
}

type tokenObject struct {
	Token   string    `json:"token"`
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Role    task.Role `json:"role"`
	Expires *string   `json:"expires"`
}

func newTokenCreateCommand(env *environment) *cobra.Command {
	var role, ttl, name string
	cmd := &cobra.Command{
		Use: "create", Short: "make a token and print it", Args: exactly(0, ""),
		Long: `Make a token and print it, alone, so that it can be put into a command line or a
variable. It is shown once and kept nowhere. A token of the role client submits
tasks and sees its own; dispatcher sees and cancels all; admin may do everything.`,
		Example: `  octaskly token create --role client --ttl 8h --name ci
  curl -H "Authorization: Bearer $(octaskly token create)" http://127.0.0.1:3000/api/v1/tasks`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := env.writes(cmd); err != nil {
				return err
			}
			r := control.TokenRequest{Name: name, Role: task.Role(role)}
			var err error
			if r.TTL, err = parseTTL(ttl, "a token that holds no time opens nothing"); err != nil {
				return err
			}
			return env.ask(func(ctx context.Context, c *connection) error {
				token, err := c.CreateToken(ctx, r)
				if err != nil {
					return err
				}
				if env.out.json {
					return env.out.object(tokenObject{Token: token.Token, ID: token.ID, Name: token.Name, Role: token.Role, Expires: stamp(token.Expires)})
				}
				return env.out.line("%s", token.Token)
			})
		},
	}
	cmd.Flags().StringVar(&role, "role", "client", "what it may do: admin, dispatcher, client or worker")
	cmd.Flags().StringVar(&ttl, "ttl", "", "how long it holds, a `DURATION` of at most 365d (default 24h)")
	cmd.Flags().StringVar(&name, "name", "rest", "who uses it: tasks that are submitted with it belong to this `NAME`")
	return cmd
}
