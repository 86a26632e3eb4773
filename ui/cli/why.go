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

func newWhyCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "why ID", Short: "why a task waits, or what happened to it", Args: exactly(1, "the number of a task"),
		Example: "  octaskly why 42",
		RunE: func(_ *cobra.Command, args []string) error {
			id, err := oneID(args[0])
			if err != nil {
				return err
			}
			return env.ask(func(ctx context.Context, c *connection) error {
				w, err := c.Why(ctx, id)
				if err != nil {
					return err
				}
				if env.out.json {
					return env.out.object(document.WhyOf(&w))
				}
				return printWhy(env, &w)
			})
		},
	}
}

func printWhy(env *environment, w *control.Why) error {
	if w.Waits == nil {
		lines := append([]string{fmt.Sprintf("task %s is %s", w.ID, w.State)}, w.Told...)
		return printLines(env, append(lines, w.Would))
	}
	first := fmt.Sprintf("task %s is %s, %d ahead of it", w.ID, w.State, w.Waits.Ahead)
	if w.Waits.Until != 0 {
		first += ", waits until " + time.UnixMilli(w.Waits.Until).Format("15:04:05")
	}
	if w.Waits.Estimate > 0 {
		first += ", starts in about " + text.Elapsed(w.Waits.Estimate)
	}
	lines := []string{first}
	if len(w.Waits.Nodes) == 0 {
		lines = append(lines, "no worker is known")
	}
	for i := range w.Waits.Nodes {
		lines = append(lines, "  "+verdictText(&w.Waits.Nodes[i]))
	}
	return printLines(env, append(lines, w.Would))
}

func printLines(env *environment, lines []string) error {
	for _, l := range lines {
		if l == "" {
			continue
		}
		if err := env.out.line("%s", text.CleanLine(l)); err != nil {
			return err
		}
	}
	return nil
}

// verdictText is what one node says, in one line.
func verdictText(v *control.NodeVerdict) string {
	if v.Now {
		return v.Node + ": could run it now"
	}
	parts := make([]string, len(v.Terms))
	for i, t := range v.Terms {
		parts[i] = fmt.Sprintf("%s: wants %s, has %s", t.Name, t.Want, t.Have)
		if t.Busy {
			parts[i] += " left"
		}
	}
	verb := "cannot run it"
	if v.Fits {
		verb = "will run it when there is room"
	}
	return v.Node + ": " + verb + " (" + strings.Join(parts, "; ") + ")"
}
