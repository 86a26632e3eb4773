package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/control/document"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

func newStatusCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "the cluster in a few lines: look here first", Args: exactly(0, ""),
		RunE: func(*cobra.Command, []string) error {
			return env.ask(func(ctx context.Context, c *connection) error {
				s, err := c.Status(ctx)
				if err != nil {
					return err
				}
				return printStatus(env, &s)
			})
		},
	}
}

func printStatus(env *environment, s *control.Status) error {
	switch {
	case env.out.json:
		return env.out.object(document.StatusOf(s))
	case env.out.quiet:
		return env.out.line("%s", dash(text.CleanLine(s.Dispatcher)))
	}
	if err := env.out.fields(statusFields(s, time.Now())); err != nil {
		return err
	}
	for _, f := range s.Facts {
		fact := f.Level + ": " + f.Text
		if f.Cure != "" {
			fact += " (" + f.Cure + ")"
		}
		if err := env.out.line("%s", text.CleanLine(fact)); err != nil {
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
