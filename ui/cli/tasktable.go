package cli

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

func taskTable() *table {
	return &table{head: []string{"ID", "STATE", "NODE", "AGE", "TIME", "EXIT", "COMMAND"}, right: map[int]bool{0: true}}
}

// taskRow is one task as a row. With plain, times are numbers.
func taskRow(t *task.Task, name func(task.NodeID) string, now time.Time, plain bool) []string {
	node, exit := "-", "-"
	if last := t.Last(); last != nil {
		node = name(last.Node)
	}
	if last := t.Last(); t.State.Terminal() && last != nil {
		if code, known := last.ExitCode(); known {
			exit = itoa(int(code))
		}
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

func listTask(env *environment, t *table, v *task.Task, name func(task.NodeID) string) error {
	switch {
	case env.out.json:
		return env.out.object(text.DocumentOf(v, name, false))
	case env.out.quiet:
		return env.out.line("%s", v.ID)
	}
	t.row(taskRow(v, name, time.Now(), env.out.plain)...)
	return nil
}

// endTaskList prints the table and says how much of it there is.
func endTaskList(env *environment, t *table, shown, total int) error {
	if env.out.json || env.out.quiet {
		return nil
	}
	if err := env.out.table(t, env.terminalWidth()); err != nil {
		return err
	}
	switch {
	case shown == 0:
		env.out.say("no tasks")
	case total > shown:
		env.out.say("%d of %d. More: --limit %d or --all", shown, total, total)
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

// limitHit names the limit that ended a task, or is empty.
func limitHit(t *task.Task) string {
	if t.State != task.Failed || t.Last() == nil {
		return ""
	}
	name, ok := strings.CutPrefix(string(t.Last().Exit.Reason), task.ReasonLimitPrefix)
	if !ok {
		return ""
	}
	return text.CleanLine(name)
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
		return text.Elapsed(d)
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
			words[i] = text.QuoteShell(w)
		}
		return strings.Join(words, " ")
	}
	return s.Shell
}
