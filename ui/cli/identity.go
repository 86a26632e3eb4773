package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/control/document"
)

func newIdentityCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "identity", Short: "who the node here is, and its pairing code", Args: exactly(0, ""),
		RunE: func(*cobra.Command, []string) error {
			return env.ask(func(ctx context.Context, c *connection) error {
				i, err := c.Identity(ctx)
				switch {
				case err != nil:
					return err
				case env.out.json:
					return env.out.object(document.IdentityOf(&i))
				case env.out.quiet:
					return env.out.line("%s", i.ID)
				}
				roles := make([]string, len(i.Roles))
				for n, r := range i.Roles {
					roles[n] = string(r)
				}
				return env.out.fields([]pair{
					{"name", i.Name},
					{"id", string(i.ID)},
					{"fingerprint", i.Fingerprint},
					{"cluster", dash(i.Cluster)},
					{"may be", strings.Join(roles, ", ")},
					{"pairing code", i.Code},
					{"addresses", strings.Join(i.Addrs, ", ")},
					{"version", i.Version},
					{"directory", i.Dir},
				})
			})
		},
	}
}
