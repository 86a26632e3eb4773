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

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

func (a *app) showCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "one task with all its attempts", Args: exactly(1, "the number of a task"),
		Example: "  octaskly show 42",
		RunE: func(_ *cobra.Command, args []string) error {
			id, err := oneID(args[0])
			if err != nil {
				return err
			}
			return a.ask(func(ctx context.Context, c *connection) error {
				t, err := c.Get(ctx, id)
				if err != nil {
					return err
				}
				switch {
				case a.out.json:
					return a.out.object(task.DocumentOf(&t, c.nodeName(ctx), true))
				case a.out.quiet:
					return a.out.line("%s", t.ID)
				}
				return a.out.fields(taskFields(&t, c.nodeName(ctx), time.Now()))
			})
		},
	}
}

func oneID(s string) (task.ID, error) {
	id, err := task.ParseID(s)
	return id, hintNumbers(err, "; this verb takes one of them")
}

// pair is a named value of a page of text.
type pair struct{ name, value string }

// fields prints pairs aligned; those without a value are left out.
func (p *printer) fields(all []pair) error {
	wide := 0
	for _, f := range all {
		if f.value != "" {
			wide = max(wide, len(f.name))
		}
	}
	for _, f := range all {
		if f.value == "" {
			continue
		}
		var err error
		if p.plain {
			err = p.line("%s\t%s", f.name, cleanLine(f.value))
		} else {
			err = p.line("%-*s  %s", wide, f.name, cleanLine(f.value))
		}
		if err != nil {
			return err
		}
	}
	return nil
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
	case at.Ended != 0 && at.Started != 0:
		parts = append(parts, "ran "+span(time.Duration(at.Ended-at.Started)*time.Millisecond))
	case at.Ended != 0:
		parts = append(parts, "did not start")
	case at.Started != 0:
		parts = append(parts, "running for "+ago(now, at.Started))
	default:
		parts = append(parts, "assigned "+ago(now, at.Assigned)+" ago")
	}
	if at.Ended != 0 {
		parts = append(parts, exitText(&at.Exit))
	}
	if at.Live != nil {
		parts = append(parts, fmt.Sprintf("using %.0f%% of a CPU and %s memory", at.Live.CPUPercent, humanize.IBytes(uint64(max(0, at.Live.MemoryMB))<<20)))
	}
	if at.Usage.MaxRSS > 0 {
		parts = append(parts, humanize.IBytes(uint64(at.Usage.MaxRSS))+" memory")
	}
	if at.Usage.CPU > 0 {
		parts = append(parts, span(at.Usage.CPU)+" CPU")
	}
	if at.Usage.Written > 0 {
		parts = append(parts, humanize.IBytes(uint64(at.Usage.Written))+" written to disk")
	}
	if at.Output.Bytes > 0 {
		parts = append(parts, humanize.IBytes(uint64(at.Output.Bytes))+" output")
	}
	return strings.Join(parts, ", ")
}

func exitText(e *task.Exit) string {
	t := "exit " + itoa(int(e.Code))
	switch {
	case e.Reason == task.ReasonSignal:
		t = "signal " + itoa(int(e.Signal))
	case e.Reason != task.ReasonExit && e.Reason != "":
		t += " (" + string(e.Reason) + ")"
	}
	if e.Message != "" {
		t += ": " + e.Message
	}
	return t
}

func timeText(ms int64, now time.Time) string {
	if ms == 0 {
		return ""
	}
	t := time.UnixMilli(ms)
	text := t.Format("2006-01-02 15:04:05")
	if d := now.Sub(t); d >= 0 {
		return text + ", " + span(d) + " ago"
	}
	return text + ", in " + span(t.Sub(now))
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

func (a *app) whyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "why ID", Short: "why a task waits, or what happened to it", Args: exactly(1, "the number of a task"),
		Example: "  octaskly why 42",
		RunE: func(_ *cobra.Command, args []string) error {
			id, err := oneID(args[0])
			if err != nil {
				return err
			}
			return a.ask(func(ctx context.Context, c *connection) error {
				w, err := c.Why(ctx, id)
				if err != nil {
					return err
				}
				if a.out.json {
					return a.out.object(whyObject(&w))
				}
				return a.printWhy(&w)
			})
		},
	}
}

type whyDocument struct {
	ID    task.ID       `json:"id"`
	State string        `json:"state"`
	Waits *waitDocument `json:"waits"`
	Told  []string      `json:"told"`
	Would *string       `json:"would"`
}

type waitDocument struct {
	Ahead    int           `json:"ahead"`
	Until    *string       `json:"until"`
	Estimate *float64      `json:"estimate_s"`
	Nodes    []nodeVerdict `json:"nodes"`
}

type nodeVerdict struct {
	Node  string       `json:"node"`
	Fits  bool         `json:"fits"`
	Now   bool         `json:"now"`
	Terms []failedTerm `json:"terms"`
}

type failedTerm struct {
	Name string `json:"name"`
	Want string `json:"want"`
	Have string `json:"have"`
	Busy bool   `json:"busy"`
}

func whyObject(w *control.Why) whyDocument {
	d := whyDocument{ID: w.ID, State: w.State.String(), Told: w.Told, Would: orNull(w.Would)}
	if d.Told == nil {
		d.Told = []string{}
	}
	if w.Waits == nil {
		return d
	}
	d.Waits = &waitDocument{Ahead: w.Waits.Ahead, Until: stamp(w.Waits.Until), Nodes: []nodeVerdict{}}
	if s := w.Waits.Estimate.Seconds(); s > 0 {
		d.Waits.Estimate = &s
	}
	for _, n := range w.Waits.Nodes {
		v := nodeVerdict{Node: n.Node, Fits: n.Fits, Now: n.Now, Terms: []failedTerm{}}
		for _, t := range n.Terms {
			v.Terms = append(v.Terms, failedTerm(t))
		}
		d.Waits.Nodes = append(d.Waits.Nodes, v)
	}
	return d
}

func (a *app) printWhy(w *control.Why) error {
	if w.Waits == nil {
		lines := append([]string{fmt.Sprintf("task %s is %s", w.ID, w.State)}, w.Told...)
		return a.printLines(append(lines, w.Would))
	}
	first := fmt.Sprintf("task %s is %s, %d ahead of it", w.ID, w.State, w.Waits.Ahead)
	if w.Waits.Until != 0 {
		first += ", waits until " + time.UnixMilli(w.Waits.Until).Format("15:04:05")
	}
	if w.Waits.Estimate > 0 {
		first += ", starts in about " + span(w.Waits.Estimate)
	}
	lines := []string{first}
	if len(w.Waits.Nodes) == 0 {
		lines = append(lines, "no worker is known")
	}
	for i := range w.Waits.Nodes {
		lines = append(lines, "  "+verdictText(&w.Waits.Nodes[i]))
	}
	return a.printLines(append(lines, w.Would))
}

func (a *app) printLines(lines []string) error {
	for _, l := range lines {
		if l == "" {
			continue
		}
		if err := a.out.line("%s", cleanLine(l)); err != nil {
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
