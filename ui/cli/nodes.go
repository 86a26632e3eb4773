package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

func (a *app) nodesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "nodes", Short: "list the nodes; let them in, look at them, remove them",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownVerb(cmd, args[0])
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error {
			return a.ask(func(ctx context.Context, c *connection) error {
				nodes, err := c.Nodes(ctx)
				if err != nil {
					return err
				}
				return a.printNodes(nodes)
			})
		},
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "show NAME", Short: "one node", Args: exactly(1, "the name of a node"),
			RunE: func(_ *cobra.Command, args []string) error { return a.showNode(args[0]) },
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
			RunE:    a.nodesAdmit,
		},
		&cobra.Command{
			Use: "remove NAME", Short: "take a node's membership away", Args: exactly(1, "the name of a node"),
			RunE: a.nodesRemove,
		},
	)
	return cmd
}

type nodeObject struct {
	Schema   string            `json:"schema"`
	Name     string            `json:"name"`
	ID       task.NodeID       `json:"id"`
	Roles    []string          `json:"roles"` // what it does now
	May      []task.Role       `json:"may"`   // what its membership allows
	State    control.NodeState `json:"state"`
	Self     bool              `json:"self"`
	Version  *string           `json:"version"`
	Address  *string           `json:"address"`
	Seen     *string           `json:"seen"`
	RTT      *float64          `json:"rtt_s"`
	Slots    int32             `json:"slots"`
	Used     int32             `json:"slots_used"`
	CPUs     float64           `json:"cpus"`
	CPUUsed  float64           `json:"cpus_used"`
	CPU      float32           `json:"cpu_percent"`
	Load1    float32           `json:"load1"`
	Memory   int64             `json:"memory_mb"`
	MemUsed  int64             `json:"memory_used_mb"`
	DiskFree int64             `json:"disk_free_mb"`
	GPUs     int32             `json:"gpus"`
	Running  int32             `json:"running"`
	Labels   map[string]string `json:"labels"`
	Sandbox  []string          `json:"sandbox_levels"`
	Levels   []guardObject     `json:"levels"` // every level, by what it is kept
	Limits   []guardObject     `json:"limits"` // every limit, by what it is kept
	KillsBy  *string           `json:"kills_by"`
	Done     uint64            `json:"done"`
	Failed   uint64            `json:"failed"`
	Warnings []string          `json:"warnings"`
}

// guardObject is by what a node keeps a level or a limit.
type guardObject struct {
	Name string  `json:"name"`
	By   *string `json:"by"`  // null is not there
	Why  *string `json:"why"` // then
}

func guardsJSON(all []task.Guard) []guardObject {
	out := make([]guardObject, len(all))
	for i, g := range all {
		out[i] = guardObject{g.Name, orNull(g.By), orNull(g.Why)}
	}
	return out
}

func nodeJSON(n *control.Node) nodeObject {
	o := nodeObject{
		Schema: "octaskly.node/1", Name: n.Name, ID: n.ID, Roles: n.Doing, May: n.Roles, State: n.State, Self: n.Self,
		Version: orNull(n.Version), Address: orNull(n.Addr), Seen: stamp(n.Seen), Slots: n.Capacity.Slots, Used: n.Used.Tasks,
		CPUs: float64(n.Capacity.CPU) / 1000, CPUUsed: float64(n.Used.CPU) / 1000, CPU: n.Load.CPUPercent, Load1: n.Load.Load1,
		Memory: n.Capacity.MemoryMB, MemUsed: n.Load.MemUsedMB, DiskFree: n.Load.DiskFreeMB, GPUs: n.Capacity.GPUs,
		Running: n.Load.Running, Labels: n.Capacity.Labels, Sandbox: n.Capacity.Sandboxes, Done: n.Done, Failed: n.Failed, Warnings: n.Warnings,
	}
	o.Levels, o.Limits, o.KillsBy = guardsJSON(n.Capacity.Levels), guardsJSON(n.Capacity.Limits), orNull(n.Capacity.Kill)
	if n.RTT > 0 {
		s := n.RTT.Seconds()
		o.RTT = &s
	}
	o.Roles, o.May, o.Sandbox, o.Warnings = notNil(o.Roles), notNil(o.May), notNil(o.Sandbox), notNil(o.Warnings)
	if o.Labels == nil {
		o.Labels = map[string]string{}
	}
	return o
}

func notNil[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}

func (a *app) printNodes(nodes []control.Node) error {
	if a.out.json {
		for i := range nodes {
			if err := a.out.object(nodeJSON(&nodes[i])); err != nil {
				return err
			}
		}
		return nil
	}
	if a.out.quiet {
		for i := range nodes {
			if err := a.out.line("%s", cleanLine(nodes[i].Name)); err != nil {
				return err
			}
		}
		return nil
	}
	if len(nodes) == 0 {
		a.out.say("no nodes")
	}
	return a.out.table(nodeTable(nodes, time.Now()), a.terminalWidth())
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

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func slotsText(n *control.Node) string {
	if n.Capacity.Slots == 0 && n.Used.Tasks == 0 {
		return "-"
	}
	return fmt.Sprintf("%d/%d", n.Used.Tasks, n.Capacity.Slots)
}

func percent(n *control.Node) string {
	if n.Load.MemTotalMB == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f%%", n.Load.CPUPercent)
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

func (a *app) showNode(name string) error {
	return a.ask(func(ctx context.Context, c *connection) error {
		n, err := c.findNode(ctx, name)
		if err != nil {
			return err
		}
		if a.out.json {
			return a.out.object(nodeJSON(n))
		}
		return a.out.fields(nodeFields(n, time.Now()))
	})
}

// findNode finds a node by its name or the beginning of its id; members come
// before strangers of the same name.
func (c *connection) findNode(ctx context.Context, name string) (*control.Node, error) {
	nodes, err := c.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	if n := pickNode(nodes, name); n != nil {
		return n, nil
	}
	names := make([]string, len(nodes))
	for i := range nodes {
		names[i] = nodes[i].Name
	}
	e := task.Errorf(task.KindNotFound, "there is no node %q", name)
	if near := config.Nearest(name, names); near != "" {
		return nil, e.WithHint("did you mean %s?", near)
	}
	return nil, e.WithHint("octaskly nodes lists them")
}

// pickNode is the node of that name or beginning of an id, or nil.
func pickNode(nodes []control.Node, name string) *control.Node {
	var stranger *control.Node
	for i := range nodes {
		n := &nodes[i]
		if n.Name != name && (len(name) < 8 || !strings.HasPrefix(string(n.ID), name)) {
			continue
		}
		if n.State != control.NodeForeign && n.State != control.NodeAsks {
			return n
		}
		if stranger == nil {
			stranger = n
		}
	}
	return stranger
}

func nodeFields(n *control.Node, now time.Time) []pair {
	may := make([]string, len(n.Roles))
	for i, r := range n.Roles {
		may[i] = string(r)
	}
	var labels []string
	for k, v := range n.Capacity.Labels {
		labels = append(labels, k+"="+v)
	}
	slices.Sort(labels)
	out := []pair{
		{"node", n.Name},
		{"id", string(n.ID)},
		{"state", string(n.State)},
		{"does", strings.Join(n.Doing, ", ")},
		{"may be", strings.Join(may, ", ")},
		{"version", n.Version},
		{"address", n.Addr},
		{"round trip", rttText(n.RTT)},
		{"tasks", slotsText(n)},
		{"CPUs", fmt.Sprintf("%s, %s used by tasks", n.Capacity.CPU, n.Used.CPU)},
		{"memory", fmt.Sprintf("%d MiB, %d MiB used by tasks", n.Capacity.MemoryMB, n.Used.MemoryMB)},
		{"disk", fmt.Sprintf("%d MiB free", n.Capacity.DiskMB)},
		{"labels", strings.Join(labels, ", ")},
		{"sandbox", sandboxText(&n.Capacity)},
		{"ended", fmt.Sprintf("%d, %d of them failed", n.Done, n.Failed)},
		{"seen", ago(now, n.Seen) + " ago"},
	}
	if n.Capacity.GPUs > 0 {
		out = append(out, pair{"GPUs", fmt.Sprintf("%d, %d used", n.Capacity.GPUs, n.Used.GPUs)})
	}
	out = append(out, guardFields(n)...)
	for _, w := range n.Warnings {
		out = append(out, pair{"warning", w})
	}
	return out
}

func sandboxText(c *task.Capacity) string {
	if len(c.Sandboxes) == 0 {
		return ""
	}
	return strings.Join(c.Sandboxes, ", ") + "; at least " + c.Default
}

// guardFields is what a node really enforces, and by what.
func guardFields(n *control.Node) (out []pair) {
	say := func(name string, g *task.Guard) {
		text := g.By
		if text == "" {
			text = "not there: " + g.Why
		}
		out = append(out, pair{name, text})
	}
	for i := range n.Capacity.Levels {
		say("level "+n.Capacity.Levels[i].Name, &n.Capacity.Levels[i])
	}
	for i := range n.Capacity.Limits {
		say(n.Capacity.Limits[i].Name+" limit", &n.Capacity.Limits[i])
	}
	if n.Capacity.Kill != "" {
		out = append(out, pair{"kills by", n.Capacity.Kill})
	}
	return out
}

// How long an admit waits, for a person may be asked there, and when it says so.
const (
	admitTime = 3 * time.Minute
	admitSays = 3 * time.Second
)

func (a *app) nodesAdmit(cmd *cobra.Command, args []string) error {
	if err := a.writes(cmd); err != nil {
		return err
	}
	name := ""
	if len(args) == 2 {
		name = args[1]
		if why := config.BadName(name); why != "" {
			return task.Errorf(task.KindUsage, "%s", why)
		}
	}
	return a.ask(func(ctx context.Context, c *connection) error {
		if a.flags.timeout == "" {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(a.ctx, admitTime)
			defer cancel()
		}
		if !a.out.quiet {
			t := time.AfterFunc(admitSays, func() {
				fmt.Fprintln(a.Stderr, "asking …  (somebody at that node's screen may have to agree)")
			})
			defer t.Stop()
		}
		n, err := c.Admit(ctx, args[0], name)
		return a.sayNode(n, err, "is a member now")
	})
}

func (a *app) nodesRemove(cmd *cobra.Command, args []string) error {
	if err := a.writes(cmd); err != nil {
		return err
	}
	return a.ask(func(ctx context.Context, c *connection) error {
		n, err := c.findNode(ctx, args[0])
		if err != nil {
			return err
		}
		question := fmt.Sprintf("remove %s? it has to be let in anew to come back.", cleanLine(n.Name))
		if ok, err := a.confirm(question); !ok || err != nil {
			return err
		}
		ctx, cancel := a.answer()
		defer cancel()
		gone, err := c.Remove(ctx, string(n.ID))
		return a.sayNode(gone, err, "is no member any more")
	})
}

// sayNode prints what became of a node.
func (a *app) sayNode(n control.Node, err error, what string) error {
	switch {
	case err != nil:
		return err
	case a.out.json:
		return a.out.object(nodeJSON(&n))
	case a.out.quiet:
		return nil
	}
	return a.out.line("%s %s", cleanLine(n.Name), what)
}
