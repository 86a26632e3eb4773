package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/control/document"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

func newTopCommand(env *environment) *cobra.Command {
	var interval string
	var count int
	cmd := &cobra.Command{
		Use: "top", Short: "the nodes, drawn again and again", Args: exactly(0, ""),
		Long: `Print the state of the cluster and its nodes, and do so again every two
seconds: in place on a terminal, below each other elsewhere.`,
		RunE: func(*cobra.Command, []string) error {
			every, err := config.ParseDuration(interval)
			if err != nil {
				return task.Errorf(task.KindUsage, "--interval: %w", err)
			}
			if every < 100*time.Millisecond {
				return task.Errorf(task.KindUsage, "--interval %s is shorter than 0.1s", interval)
			}
			if count < 0 {
				return task.Errorf(task.KindUsage, "--count %d is below 0", count)
			}
			c, err := env.connect()
			if err != nil {
				return err
			}
			defer c.close()
			return showTop(env, env.ctx, c, every, count)
		},
	}
	cmd.Flags().StringVar(&interval, "interval", "2s", "time between two, a `DURATION`")
	cmd.Flags().IntVarP(&count, "count", "n", 0, "end after `N`; 0 goes on until interrupted")
	return cmd
}

type topObject struct {
	Schema string          `json:"schema"`
	Time   *string         `json:"time"`
	Status document.Status `json:"status"`
	Nodes  []document.Node `json:"nodes"`
}

// showTop draws snapshots until ctx ends, or count of them.
func showTop(env *environment, ctx context.Context, c control.Control, every time.Duration, count int) error {
	onTerminal := isTerminal(env.Stdout) && !env.out.json
	for n := 1; ; n++ {
		ask, cancel := context.WithTimeout(ctx, defaultTimeout)
		s, err := c.Status(ask)
		var nodes []control.Node
		if err == nil {
			nodes, err = c.Nodes(ask)
		}
		cancel()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && n == 1 || err != nil && !onTerminal:
			return withHints(err)
		}
		if err := drawTop(env, &s, nodes, err, onTerminal); err != nil {
			return err
		}
		if n == count {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(every):
		}
	}
}

func drawTop(env *environment, s *control.Status, nodes []control.Node, trouble error, onTerminal bool) error {
	now := time.Now()
	if env.out.json {
		o := topObject{Schema: "octaskly.top/1", Time: stamp(now.UnixMilli()), Status: document.StatusOf(s), Nodes: []document.Node{}}
		for i := range nodes {
			o.Nodes = append(o.Nodes, document.NodeOf(&nodes[i]))
		}
		return env.out.object(o)
	}
	if trouble != nil {
		env.out.say("%s", cleanLines(trouble.Error()))
		return nil
	}
	if env.out.plain {
		return env.out.table(nodeTable(nodes, now), 0)
	}
	var b strings.Builder
	if onTerminal {
		b.WriteString("\x1b[H\x1b[2J")
	}
	fmt.Fprintf(&b, "%s  dispatcher %s  slots %d/%d  ready %d  %.1f/s\n", now.Format("15:04:05"), dash(text.CleanLine(s.Dispatcher)), s.SlotsUsed, s.Slots, s.Ready, s.Rate)
	var tasks []string
	for _, st := range task.States() {
		tasks = append(tasks, fmt.Sprintf("%s %d", st, s.Tasks[st]))
	}
	fmt.Fprintf(&b, "%s\n\n", strings.Join(tasks, "  "))
	if len(nodes) > 0 {
		b.WriteString(layTable(nodeTable(nodes, now), env.terminalWidth()))
	}
	if !onTerminal {
		b.WriteByte('\n')
	}
	_, err := io.WriteString(env.Stdout, b.String())
	return err
}
