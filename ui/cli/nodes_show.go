package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/control/document"
	"github.com/adauldev/octaskly/queue/task"
)

func showNode(env *environment, name string) error {
	return env.ask(func(ctx context.Context, c *connection) error {
		n, err := c.findNode(ctx, name)
		if err != nil {
			return err
		}
		if env.out.json {
			return env.out.object(document.NodeOf(n))
		}
		return env.out.fields(nodeFields(n, time.Now()))
	})
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
