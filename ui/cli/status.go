package cli

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "the cluster in a few lines: look here first", Args: exactly(0, ""),
		RunE: func(*cobra.Command, []string) error {
			return a.ask(func(ctx context.Context, c *connection) error {
				s, err := c.Status(ctx)
				if err != nil {
					return err
				}
				return a.printStatus(&s)
			})
		},
	}
}

type statusObject struct {
	Schema     string                    `json:"schema"`
	Cluster    *string                   `json:"cluster"`
	Dispatcher *string                   `json:"dispatcher"`
	Term       uint64                    `json:"term"`
	Since      *string                   `json:"since"`
	Nodes      map[control.NodeState]int `json:"nodes"`
	Tasks      map[string]int            `json:"tasks"`
	Ready      int                       `json:"ready"`
	Slots      int                       `json:"slots"`
	SlotsUsed  int                       `json:"slots_used"`
	Rate       float64                   `json:"finished_per_s"`
	QueueLimit int                       `json:"queue_limit"`
	Self       identityObject            `json:"self"`
	Facts      []factObject              `json:"facts"`
}

type factObject struct {
	Level string  `json:"level"`
	Text  string  `json:"text"`
	Cure  *string `json:"cure"`
}

func statusJSON(s *control.Status) statusObject {
	o := statusObject{
		Schema: "octaskly.status/1", Cluster: orNull(s.Cluster), Dispatcher: orNull(s.Dispatcher), Term: s.Term, Since: stamp(s.Since),
		Nodes: s.Nodes, Tasks: map[string]int{}, Ready: s.Ready, Slots: s.Slots, SlotsUsed: s.SlotsUsed, Rate: s.Rate,
		QueueLimit: s.QueueLimit, Self: identityJSON(&s.Self), Facts: []factObject{},
	}
	if o.Nodes == nil {
		o.Nodes = map[control.NodeState]int{}
	}
	for _, st := range task.States() {
		o.Tasks[st.String()] = s.Tasks[st]
	}
	for _, f := range s.Facts {
		o.Facts = append(o.Facts, factObject{f.Level, f.Text, orNull(f.Cure)})
	}
	return o
}

func (a *app) printStatus(s *control.Status) error {
	switch {
	case a.out.json:
		return a.out.object(statusJSON(s))
	case a.out.quiet:
		return a.out.line("%s", dash(cleanLine(s.Dispatcher)))
	}
	if err := a.out.fields(statusFields(s, time.Now())); err != nil {
		return err
	}
	for _, f := range s.Facts {
		text := f.Level + ": " + f.Text
		if f.Cure != "" {
			text += " (" + f.Cure + ")"
		}
		if err := a.out.line("%s", cleanLine(text)); err != nil {
			return err
		}
	}
	return nil
}

func statusFields(s *control.Status, now time.Time) []pair {
	dispatcher := "none"
	if s.Dispatcher != "" {
		dispatcher = s.Dispatcher
		if s.Since != 0 {
			dispatcher += ", for " + ago(now, s.Since)
		}
	}
	var nodes, tasks []string
	for _, st := range []control.NodeState{
		control.NodeUp, control.NodeDraining, control.NodeDrained, control.NodeStale,
		control.NodeLost, control.NodeAway, control.NodeAsks, control.NodeForeign,
	} {
		if n := s.Nodes[st]; n > 0 {
			nodes = append(nodes, fmt.Sprintf("%d %s", n, st))
		}
	}
	for _, st := range task.States() {
		if n := s.Tasks[st]; n > 0 {
			tasks = append(tasks, fmt.Sprintf("%d %s", n, st))
		}
	}
	limit := ""
	if s.QueueLimit > 0 {
		limit = fmt.Sprintf("%d ready, room for %d", s.Ready, s.QueueLimit)
	}
	return []pair{
		{"cluster", dash(s.Cluster)},
		{"dispatcher", dispatcher},
		{"nodes", dash(strings.Join(nodes, ", "))},
		{"slots", fmt.Sprintf("%d of %d used", s.SlotsUsed, s.Slots)},
		{"tasks", dash(strings.Join(tasks, ", "))},
		{"queue", limit},
		{"rate", fmt.Sprintf("%.1f finished a second", s.Rate)},
		{"this node", s.Self.Name},
	}
}

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

func (a *app) identityCommand() *cobra.Command {
	return &cobra.Command{
		Use: "identity", Short: "who the node here is, and its pairing code", Args: exactly(0, ""),
		RunE: func(*cobra.Command, []string) error {
			return a.ask(func(ctx context.Context, c *connection) error {
				i, err := c.Identity(ctx)
				switch {
				case err != nil:
					return err
				case a.out.json:
					return a.out.object(identityJSON(&i))
				case a.out.quiet:
					return a.out.line("%s", i.ID)
				}
				roles := make([]string, len(i.Roles))
				for n, r := range i.Roles {
					roles[n] = string(r)
				}
				return a.out.fields([]pair{
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

func (a *app) promoteCommand() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use: "promote", Short: "make the node here the dispatcher", Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.writes(cmd); err != nil {
				return err
			}
			return a.ask(func(ctx context.Context, c *connection) error {
				s, err := c.Promote(ctx, control.PromoteRequest{Force: force})
				switch {
				case err != nil:
					return err
				case a.out.json:
					return a.out.object(statusJSON(&s))
				case a.out.quiet:
					return nil
				}
				return a.out.line("%s dispatches now", cleanLine(s.Dispatcher))
			})
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "although another one may be alive: what it has not handed over is lost")
	return cmd
}

func (a *app) inviteCommand() *cobra.Command {
	var uses int
	var ttl, role, out string
	cmd := &cobra.Command{
		Use: "invite", Short: "make a code that lets other machines in", Args: exactly(0, ""),
		Long: `Make a code that lets other machines in. For one use within ten minutes it is
short enough to type; otherwise it is long and meant for a file.`,
		Example: `  octaskly invite
  octaskly invite --uses 20 --ttl 24h --out join.code`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.writes(cmd); err != nil {
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
			if ttl != "" {
				var err error
				if r.TTL, err = config.ParseDuration(ttl); err != nil {
					return task.Errorf(task.KindUsage, "--ttl: %w", err)
				}
			}
			return a.ask(func(ctx context.Context, c *connection) error {
				i, err := c.Invite(ctx, r)
				if err != nil {
					return err
				}
				return a.printInvite(&i, out)
			})
		},
	}
	cmd.Flags().IntVar(&uses, "uses", 1, "how many machines may use it")
	cmd.Flags().StringVar(&ttl, "ttl", "", "how long it holds, a `DURATION` (default 10m)")
	cmd.Flags().StringVar(&role, "role", "", "what they may be: worker, client, admin (default worker and client)")
	cmd.Flags().StringVar(&out, "out", "", "write the code into this new `FILE`, which only you can read")
	return cmd
}

type inviteObject struct {
	Code    *string     `json:"code"` // null when it was written into a file
	File    *string     `json:"file"`
	Roles   []task.Role `json:"roles"`
	Uses    int         `json:"uses"`
	Expires *string     `json:"expires"`
}

func (a *app) printInvite(i *control.Invite, path string) error {
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
	if a.out.json {
		return a.out.object(inviteObject{orNull(shown), orNull(path), notNil(i.Roles), i.Uses, stamp(i.Expires)})
	}
	what := shown
	if path != "" {
		what = path
	}
	if err := a.out.line("%s", what); err != nil {
		return err
	}
	left := span(time.Until(time.UnixMilli(i.Expires)))
	a.out.say("good for %s within %s", plural(i.Uses, "use"), left)
	switch {
	case path != "":
		a.out.say("  on the other machine:  octaskly join --join-file %s", quoteShell(path))
	case i.Long:
		a.out.say("  on the other machine:  octaskly join --join-file FILE, with the code in it")
	default:
		a.out.say("  on the other machine:  octaskly join %s", i.Code)
	}
	return nil
}
