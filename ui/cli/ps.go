package cli

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

func itoa(n int) string { return strconv.Itoa(n) }

func (a *app) psCommand() *cobra.Command {
	var f filterFlags
	var limit int
	var all, oldest bool
	var order string
	cmd := &cobra.Command{
		Use: "ps", Short: "list tasks", Args: exactly(0, ""),
		Long: "List tasks, the newest first.",
		Example: `  octaskly ps --state failed --since 2h
  octaskly ps --state queued,running --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 {
				return task.Errorf(task.KindUsage, "--limit %d is below 1", limit).WithHint("for every task:  --all")
			}
			q, err := f.query(cmd, time.Now())
			if err != nil {
				return err
			}
			q.Oldest = oldest
			if all {
				limit = 0
			}
			if order == "" || order == "id" {
				return a.list(q, limit)
			}
			less, err := taskOrder(order, oldest, time.Now())
			if err != nil {
				return err
			}
			return a.listSorted(q, limit, less)
		},
	}
	f.add(cmd)
	cmd.Flags().IntVar(&limit, "limit", 50, "at most so many")
	cmd.Flags().BoolVarP(&all, "all", "a", false, "all of them")
	cmd.Flags().BoolVar(&oldest, "oldest", false, "the oldest first; with --sort, the other way round")
	cmd.Flags().StringVar(&order, "sort", "", "order by this `COLUMN`: id, state, node, time (longest first), exit, priority (highest first), command")
	return cmd
}

// list prints tasks page by page; limit 0 is all. The aligned table is printed
// at its end, so that columns fit.
func (a *app) list(q control.Query, limit int) error {
	return a.ask(func(ctx context.Context, c *connection) error {
		t := taskTable()
		name := c.nodeName(ctx)
		shown, total := 0, 0
		err := c.pages(a.ctx, q, limit, func(p control.Page) error {
			total = p.Total
			for i := range p.Tasks {
				shown++
				if err := a.listOne(t, &p.Tasks[i], name); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		return a.endList(t, shown, total)
	})
}

// endList prints the table and says how much of it there is.
func (a *app) endList(t *table, shown, total int) error {
	if a.out.json || a.out.quiet {
		return nil
	}
	if err := a.out.table(t, a.terminalWidth()); err != nil {
		return err
	}
	switch {
	case shown == 0:
		a.out.say("no tasks")
	case total > shown:
		a.out.say("%d of %d. More: --limit %d or --all", shown, total, total)
	}
	return nil
}

// pages reads a list page by page and hands each on, up to limit tasks; 0 is
// all.
func (c *connection) pages(ctx context.Context, q control.Query, limit int, each func(control.Page) error) error {
	const page = 1000
	for left := limit; ; {
		q.Limit = page
		if limit > 0 {
			q.Limit = min(page, left)
		}
		p, err := c.List(ctx, q)
		if err != nil {
			return err
		}
		if err := each(p); err != nil {
			return err
		}
		left -= len(p.Tasks)
		if q.After = p.Onward(); q.After == 0 || limit > 0 && left <= 0 {
			return nil
		}
	}
}

func (a *app) listOne(t *table, v *task.Task, name func(task.NodeID) string) error {
	switch {
	case a.out.json:
		return a.out.object(task.DocumentOf(v, name, false))
	case a.out.quiet:
		return a.out.line("%s", v.ID)
	}
	t.row(taskRow(v, name, time.Now(), a.out.plain)...)
	return nil
}

func taskTable() *table {
	return &table{head: []string{"ID", "STATE", "NODE", "AGE", "TIME", "EXIT", "COMMAND"}, right: map[int]bool{0: true}}
}

// taskRow is one task as a row. With plain, times are numbers.
func taskRow(t *task.Task, name func(task.NodeID) string, now time.Time, plain bool) []string {
	node, exit := "-", "-"
	if last := t.Last(); last != nil {
		node = name(last.Node)
	}
	if t.State.Terminal() && t.State != task.Lost && t.Last() != nil {
		exit = itoa(int(t.Last().Exit.Code))
	}
	age, took := ago(now, t.Submitted), tookText(t, now)
	if plain {
		age = strconv.FormatInt((now.UnixMilli()-t.Submitted)/1000, 10)
		took = strconv.FormatFloat(ranFor(t, now).Seconds(), 'f', 3, 64)
	}
	state := stateMark(t)
	if limit := limitHit(t); limit != "" && !plain {
		state += " (" + limit + " limit)"
	}
	return []string{t.ID.String(), state, node, age, took, exit, commandText(&t.Spec)}
}

// limitHit names the limit that ended a task, or is empty.
func limitHit(t *task.Task) string {
	if t.State != task.Failed || t.Last() == nil {
		return ""
	}
	name, ok := strings.CutPrefix(string(t.Last().Exit.Reason), task.ReasonLimitPrefix)
	if !ok {
		return ""
	}
	return cleanLine(name)
}

// stateMark is the state's word, and more where the word alone misleads.
func stateMark(t *task.Task) string {
	if t.Cancelling && !t.State.Terminal() {
		return t.State.String() + " (cancelling)"
	}
	return t.State.String()
}

// ranFor is how long the last attempt ran, or has been running.
func ranFor(t *task.Task, now time.Time) time.Duration {
	last := t.Last()
	if last == nil || last.Started == 0 {
		return 0
	}
	end := last.Ended
	if end == 0 {
		end = now.UnixMilli()
	}
	return time.Duration(end-last.Started) * time.Millisecond
}

func tookText(t *task.Task, now time.Time) string {
	if d := ranFor(t, now); d > 0 {
		return span(d)
	}
	return "-"
}

// commandText is the command on one line.
func commandText(s *task.Spec) string {
	switch {
	case s.Null:
		return "(no process)"
	case len(s.Argv) > 0:
		words := make([]string, len(s.Argv))
		for i, w := range s.Argv {
			words[i] = quoteShell(w)
		}
		return strings.Join(words, " ")
	}
	return s.Shell
}
