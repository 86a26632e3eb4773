package cli

import (
	"context"
	"fmt"
	"slices"
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
		Long: `The cluster in a few lines, and its problems with what to do about them. The exit
code is 0 if all is well, 1 if something is not, 125 if nobody dispatches.`,
		Example: `  octaskly status
  octaskly status -q || octaskly status --json`,
		RunE: func(*cobra.Command, []string) error { return showStatus(env) },
	}
}

func showStatus(env *environment) error {
	var s control.Status
	err := env.ask(func(ctx context.Context, c *connection) (err error) {
		s, err = c.Status(ctx)
		return err
	})
	if task.KindOf(err) == task.KindNoDispatcher {
		env.sayError(err)
		return silent(exitOurs)
	}
	if err != nil {
		return err
	}
	if err := printStatus(env, &s); err != nil {
		return err
	}
	if code := statusCode(&s); code != exitOK {
		return silent(code)
	}
	return nil
}

// statusCode is how well a cluster is. What is only worth knowing does not count.
func statusCode(s *control.Status) int {
	worse := func(p control.Problem) bool { return p.Level != control.LevelInfo }
	switch {
	case s.Dispatcher == "":
		return exitOurs
	case slices.ContainsFunc(s.Problems, worse):
		return exitFailed
	}
	return exitOK
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
	for i := range s.Problems {
		if err := printProblem(env, &s.Problems[i], time.Now()); err != nil {
			return err
		}
	}
	return nil
}

func printProblem(env *environment, p *control.Problem, now time.Time) error {
	if env.out.plain {
		return env.out.line("%s\t%s\t%s\t%s", p.Level, text.CleanLine(p.ID), text.CleanLine(p.Text), text.CleanLine(strings.ReplaceAll(p.Cure, "\n", "; ")))
	}
	line := p.Level + ": " + p.Text
	if p.Since != 0 {
		line += ", for " + ago(now, p.Since)
	}
	if err := env.out.line("%s", text.CleanLine(line)); err != nil || p.Cure == "" {
		return err
	}
	for cure := range strings.SplitSeq(p.Cure, "\n") {
		if err := env.out.line("  → %s", text.CleanLine(cure)); err != nil {
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
