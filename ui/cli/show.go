package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

func newShowCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "one task with all its attempts", Args: exactly(1, "the number of a task"),
		Example: "  octaskly show 42",
		RunE: func(_ *cobra.Command, args []string) error {
			id, err := oneID(args[0])
			if err != nil {
				return err
			}
			return env.ask(func(ctx context.Context, c *connection) error {
				t, err := c.Get(ctx, id)
				if err != nil {
					return err
				}
				switch {
				case env.out.json:
					return env.out.object(text.DocumentOf(&t, c.nodeName(ctx), true))
				case env.out.quiet:
					return env.out.line("%s", t.ID)
				}
				return env.out.fields(taskFields(&t, c.nodeName(ctx), time.Now()))
			})
		},
	}
}

func taskFields(t *task.Task, name func(task.NodeID) string, now time.Time) []pair {
	s := &t.Spec
	out := []pair{
		{"task", t.ID.String()},
		{"state", stateMark(t)},
		{"command", commandText(s)},
		{"name", s.Name},
		{"tags", strings.Join(s.Tags, ", ")},
		{"submitted", timeText(t.Submitted, now)},
		{"not before", timeText(t.NotBefore, now)},
		{"finished", timeText(t.Finished, now)},
		{"priority", itoa(int(s.Priority))},
		{"needs", needText(&s.Need)},
		{"timeout", timeoutText(s.Timeout)},
		{"retries", retryText(s)},
		{"delivery", s.Delivery.String()},
		{"directory", s.Dir},
		{"variables", strings.Join(slices.Sorted(maps.Keys(s.Env)), ", ")},
		{"secrets", strings.Join(slices.Sorted(maps.Keys(s.Secrets)), ", ")},
		{"submitted by", string(t.By)},
	}
	if s.RetryOf != 0 {
		out = append(out, pair{"repeats", s.RetryOf.String()})
	}
	for i := range t.Attempts {
		at := &t.Attempts[i]
		out = append(out, pair{fmt.Sprintf("attempt %d", at.Fence.Attempt), attemptText(at, name, now)})
	}
	return out
}

// attemptText is one attempt in one line.
func attemptText(at *task.Attempt, name func(task.NodeID) string, now time.Time) string {
	parts := []string{"on " + name(at.Node)}
	switch {
	case at.Ended != 0 && at.Started != 0 && at.Exit.Reason == task.ReasonNodeLost:
		parts = append(parts, "started, then lost")
	case at.Ended != 0 && at.Exit.Reason == task.ReasonNodeLost:
		parts = append(parts, "lost, whether it started is not known")
	case at.Ended != 0 && at.Started != 0:
		parts = append(parts, "ran "+text.Elapsed(time.Duration(at.Ended-at.Started)*time.Millisecond))
	case at.Ended != 0:
		parts = append(parts, "did not start")
	case at.Started != 0:
		parts = append(parts, "running for "+ago(now, at.Started))
	default:
		parts = append(parts, "assigned "+ago(now, at.Assigned)+" ago")
	}
	if at.Ended != 0 {
		parts = append(parts, text.Exit(&at.Exit))
	}
	if at.Live != nil {
		parts = append(parts, fmt.Sprintf("using %.0f%% of a CPU and %s memory", at.Live.CPUPercent, humanize.IBytes(uint64(max(0, at.Live.MemoryMB))<<20)))
	}
	if at.Usage.MaxRSS > 0 {
		parts = append(parts, humanize.IBytes(uint64(at.Usage.MaxRSS))+" memory")
	}
	if at.Usage.CPU > 0 {
		parts = append(parts, text.Elapsed(at.Usage.CPU)+" CPU")
	}
	if at.Usage.Written > 0 {
		parts = append(parts, humanize.IBytes(uint64(at.Usage.Written))+" written to disk")
	}
	if at.Output.Bytes > 0 {
		parts = append(parts, humanize.IBytes(uint64(at.Output.Bytes))+" output")
	}
	switch {
	case at.Output.CutBy != "":
		parts = append(parts, "output cut: "+at.Output.CutBy)
	case at.Output.Truncated:
		parts = append(parts, "output cut at its quota")
	}
	return strings.Join(parts, ", ")
}

func needText(n *task.Need) string {
	parts := []string{n.CPUs().String() + " CPU"}
	add := func(format string, v ...any) { parts = append(parts, fmt.Sprintf(format, v...)) }
	if n.MemoryMB > 0 {
		add("%d MiB memory", n.MemoryMB)
	}
	if n.DiskMB > 0 {
		add("%d MiB disk", n.DiskMB)
	}
	if n.GPUs > 0 {
		add("%d GPU", n.GPUs)
	}
	if n.Limits.CPUTime > 0 {
		add("at most %s of processor time", n.Limits.CPUTime)
	}
	if n.Limits.Processes > 0 {
		add("at most %d processes", n.Limits.Processes)
	}
	if n.Limits.OpenFiles > 0 {
		add("at most %d open files", n.Limits.OpenFiles)
	}
	if n.Limits.OutputMB > 0 {
		add("at most %d MiB output", n.Limits.OutputMB)
	}
	for _, k := range slices.Sorted(maps.Keys(n.Labels)) {
		add("%s=%s", k, n.Labels[k])
	}
	if n.On != "" {
		add("on %s", n.On)
	}
	if n.Sandbox != "" {
		add("sandbox %s", n.Sandbox)
	}
	return strings.Join(parts, ", ")
}

func timeoutText(d time.Duration) string {
	switch {
	case d == 0:
		return "the dispatcher's default"
	case d < 0:
		return "none"
	}
	return d.String()
}

func retryText(s *task.Spec) string {
	if s.Retries == 0 {
		return ""
	}
	return fmt.Sprintf("%d, %s", s.Retries, s.Backoff)
}
