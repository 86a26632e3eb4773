package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/control/document"
	"github.com/adauldev/octaskly/queue/task/text"
)

func newNodesCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use: "nodes", Short: "list the nodes; let them in, look at them, remove them",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownVerb(cmd, args[0])
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error {
			return env.ask(func(ctx context.Context, c *connection) error {
				nodes, err := c.Nodes(ctx)
				if err != nil {
					return err
				}
				return printNodes(env, nodes)
			})
		},
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "show NAME", Short: "one node", Args: exactly(1, "the name of a node"),
			RunE: func(_ *cobra.Command, args []string) error { return showNode(env, args[0]) },
		},
		&cobra.Command{
			Use: "admit CODE [NAME]", Short: "let in the node that shows this code",
			Args: func(cmd *cobra.Command, args []string) error {
				if len(args) < 1 || len(args) > 2 {
					return usageOf(cmd, "%s needs the code that the other node shows, and takes a name for it", cmd.CommandPath())
				}
				return nil
			},
			Example: "  octaskly nodes admit K7QM-3XPA mill-03",
			RunE:    func(cmd *cobra.Command, args []string) error { return admitNode(env, cmd, args) },
		},
		&cobra.Command{
			Use: "remove NAME", Short: "take a node's membership away", Args: exactly(1, "the name of a node"),
			RunE: func(cmd *cobra.Command, args []string) error { return removeNode(env, cmd, args) },
		},
	)
	return cmd
}

func printNodes(env *environment, nodes []control.Node) error {
	if env.out.json {
		for i := range nodes {
			if err := env.out.object(document.NodeOf(&nodes[i])); err != nil {
				return err
			}
		}
		return nil
	}
	if env.out.quiet {
		for i := range nodes {
			if err := env.out.line("%s", text.CleanLine(nodes[i].Name)); err != nil {
				return err
			}
		}
		return nil
	}
	if len(nodes) == 0 {
		env.out.say("no nodes")
	}
	return env.out.table(nodeTable(nodes, time.Now()), env.terminalWidth())
}

func nodeTable(nodes []control.Node, now time.Time) *table {
	t := &table{
		head:  []string{"NAME", "STATE", "ROLES", "TASKS", "CPU", "MEMORY", "RTT", "SEEN", "ADDRESS"},
		right: map[int]bool{3: true, 4: true, 5: true, 6: true},
	}
	same := map[string]int{}
	for i := range nodes {
		same[nodes[i].Name]++
	}
	for i := range nodes {
		n := &nodes[i]
		name := n.Name
		if same[name] > 1 {
			name += " " + n.ID.Short()
		}
		if n.Self {
			name += " (here)"
		}
		t.row(name, string(n.State), dash(strings.Join(n.Doing, ",")), slotsText(n), percent(n), memoryText(n), rttText(n.RTT), ago(now, n.Seen), dash(n.Addr))
	}
	return t
}

func slotsText(n *control.Node) string {
	if n.Capacity.Slots == 0 && n.Used.Tasks == 0 {
		return "-"
	}
	return fmt.Sprintf("%d/%d", n.Used.Tasks, n.Capacity.Slots)
}

func memoryText(n *control.Node) string {
	if n.Load.MemTotalMB == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f/%.1fG", float64(n.Load.MemUsedMB)/1024, float64(n.Load.MemTotalMB)/1024)
}

func rttText(d time.Duration) string {
	if d <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.2fms", float64(d)/float64(time.Millisecond))
}

// printNodeChange prints what became of a node.
func printNodeChange(env *environment, n control.Node, err error, what string) error {
	switch {
	case err != nil:
		return err
	case env.out.json:
		return env.out.object(document.NodeOf(&n))
	case env.out.quiet:
		return nil
	}
	return env.out.line("%s %s", text.CleanLine(n.Name), what)
}
