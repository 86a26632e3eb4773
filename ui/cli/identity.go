package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

type identityObject struct {
	ID          task.NodeID `json:"id"`
	Name        string      `json:"name"`
	Fingerprint string      `json:"fingerprint"`
	Cluster     *string     `json:"cluster"`
	Roles       []task.Role `json:"roles"`
	Code        *string     `json:"code"`
	Addresses   []string    `json:"addresses"`
	Version     string      `json:"version"`
	Dir         *string     `json:"dir"`
}

func identityJSON(i *control.Identity) identityObject {
	return identityObject{
		ID: i.ID, Name: i.Name, Fingerprint: i.Fingerprint, Cluster: orNull(i.Cluster), Roles: notNil(i.Roles),
		Code: orNull(i.Code), Addresses: notNil(i.Addrs), Version: i.Version, Dir: orNull(i.Dir),
	}
}

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
					return env.out.object(identityJSON(&i))
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
