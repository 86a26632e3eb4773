package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

func (a *app) cancelCommand() *cobra.Command {
	var f filterFlags
	var graceText string
	var now bool
	cmd := &cobra.Command{
		Use: "cancel ID… | --state STATES | --tag TAGS …", Short: "end tasks that are not finished",
		Long: `End tasks that are not finished. A task that runs is asked to end and, after a
grace, killed with everything it started.`,
		Example: `  octaskly cancel 42
  octaskly cancel --now 40-49
  octaskly cancel --tag nightly`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.writes(cmd); err != nil {
				return err
			}
			r, err := cancelRequest(cmd, args, &f, graceText, now)
			if err != nil {
				return err
			}
			return a.ask(func(ctx context.Context, c *connection) error { return a.cancelTasks(ctx, c, r) })
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&graceText, "grace", "", "time between asking and killing, a `DURATION` (default: the task's)")
	cmd.Flags().BoolVar(&now, "now", false, "kill at once")
	return cmd
}

func cancelRequest(cmd *cobra.Command, args []string, f *filterFlags, graceText string, now bool) (r control.CancelRequest, err error) {
	q, err := f.query(cmd, time.Now())
	switch {
	case err != nil:
		return r, err
	case len(args) == 0 && !f.any():
		return r, usageOf(cmd, "%s needs the number of a task, or a filter", cmd.CommandPath())
	case len(args) > 0 && f.any():
		return r, usageOf(cmd, "give numbers or a filter, not both")
	case now && graceText != "":
		return r, usageOf(cmd, "--now and --grace exclude each other")
	}
	if now {
		r.Grace = -1
	}
	if graceText != "" {
		if r.Grace, err = grace(graceText); err != nil {
			return r, err
		}
	}
	if len(args) > 0 {
		r.IDs, err = parseIDs(args)
		return r, err
	}
	if len(q.States) == 0 {
		q.States = []task.State{task.Queued, task.Assigned, task.Running, task.Retry}
	}
	r.Filter = &q
	return r, nil
}

func (a *app) cancelTasks(ctx context.Context, c *connection, r control.CancelRequest) error {
	if r.Filter != nil {
		q := *r.Filter
		q.Limit = 1
		p, err := c.List(ctx, q)
		if err != nil {
			return err
		}
		if p.Total == 0 || len(p.Tasks) == 0 {
			a.out.say("no task matches")
			return nil
		}
		what := "all that match"
		if p.Total > 0 {
			what = plural(p.Total, "task")
		}
		if ok, err := a.confirm("cancel " + what + "?"); !ok || err != nil {
			return err
		}
	}
	replies, err := c.Cancel(ctx, r)
	if err != nil {
		return err
	}
	return a.sayCancelled(replies)
}

type cancelObject struct {
	ID    task.ID    `json:"id"`
	State string     `json:"state"`
	Error *errorBody `json:"error"`
}

// sayCancelled prints what became of each; one of one that was refused ends
// with that refusal's code.
func (a *app) sayCancelled(replies []control.CancelReply) error {
	refused := 0
	for _, r := range replies {
		refusal := cancelRefusal(r)
		if refusal != nil {
			refused++
			if len(replies) == 1 {
				return refusal
			}
		}
		switch {
		case a.out.json:
			o := cancelObject{ID: r.ID, State: r.State.String()}
			if refusal != nil {
				b := errorOf(refusal)
				o.Error = &b
			}
			if err := a.out.object(o); err != nil {
				return err
			}
		case refusal != nil:
			a.out.warn("%s", cleanLine(refusal.Error()))
		case a.out.quiet:
			if err := a.out.line("%s", r.ID); err != nil {
				return err
			}
		default:
			word := r.State.String()
			if !r.State.Terminal() {
				word = "cancelling"
			}
			if err := a.out.line("%s %s", r.ID, word); err != nil {
				return err
			}
		}
	}
	if refused > 0 {
		return silent(exitPartly)
	}
	return nil
}

func cancelRefusal(r control.CancelReply) error {
	switch r.Kind {
	case "":
		return nil
	case task.KindNotFound:
		return task.Errorf(r.Kind, "there is no task %s", r.ID)
	case task.KindConflict:
		return task.Errorf(r.Kind, "task %s is %s already", r.ID, r.State)
	}
	return task.Errorf(r.Kind, "task %s was not cancelled (%s)", r.ID, r.Kind)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// confirm asks a question whose safe answer is no.
func (a *app) confirm(question string) (bool, error) {
	if a.flags.yes {
		return true, nil
	}
	if a.flags.noInput || !a.Asks {
		return false, task.Errorf(task.KindUsage, "%s nobody can be asked here", question).WithHint("to answer yes beforehand:  --yes")
	}
	fmt.Fprintf(a.Stderr, "%s [y/N] ", question)
	line, err := bufio.NewReader(a.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("read the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return true, nil
	}
	a.out.warn("nothing was done")
	return false, silent(exitFailed)
}

func (a *app) retryCommand() *cobra.Command {
	return &cobra.Command{
		Use: "retry ID…", Short: "run finished tasks again, as new ones", Args: atLeast(1, "the number of a task"),
		Example: "  octaskly retry 42",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.writes(cmd); err != nil {
				return err
			}
			ids, err := parseIDs(args)
			if err != nil {
				return err
			}
			return a.ask(func(ctx context.Context, c *connection) error {
				return a.each(ids, func(id task.ID) error { return a.retryOne(ctx, c, id) })
			})
		},
	}
}

// each does something for every task; with one, its failure is the verb's.
func (a *app) each(ids []task.ID, do func(task.ID) error) error {
	failed := 0
	for _, id := range ids {
		err := do(id)
		if err == nil {
			continue
		}
		if len(ids) == 1 {
			return err
		}
		failed++
		if a.out.json {
			_ = writeJSON(a.Stderr, errorObject{errorOf(err)})
		} else {
			a.out.warn("%s: %s", id, cleanLines(err.Error()))
		}
	}
	if failed > 0 {
		return silent(exitPartly)
	}
	return nil
}

func (a *app) retryOne(ctx context.Context, c *connection, id task.ID) error {
	t, err := c.Get(ctx, id)
	if err != nil {
		return err
	}
	if !t.State.Terminal() {
		return task.Errorf(task.KindConflict, "task %s is %s; only a finished task can be run again", id, t.State).
			WithHint("end it first:  octaskly cancel %s", id)
	}
	sub := submission{Submission: task.Submission{Spec: t.Spec}}
	sub.Spec.RetryOf = id
	n, ahead, err := c.submit(ctx, &sub, false)
	if err != nil {
		return err
	}
	return a.saySubmitted(ctx, c, n, ahead)
}

func (a *app) waitCommand() *cobra.Command {
	var anyOne bool
	var limit string
	cmd := &cobra.Command{
		Use: "wait ID…", Short: "wait until tasks have finished", Args: atLeast(1, "the number of a task"),
		Long: `Wait until tasks have finished. With one, the exit code is the task's; with
several it is 0 if all ended with 0, else 8.`,
		Example: `  octaskly wait 42 && echo ok
  octaskly wait 1042-1141`,
		RunE: func(_ *cobra.Command, args []string) error {
			ids, err := parseIDs(args)
			if err != nil {
				return err
			}
			var d time.Duration
			if limit != "" {
				if d, err = config.ParseDuration(limit); err != nil {
					return task.Errorf(task.KindUsage, "--timeout: %w", err)
				}
			}
			return a.waitFor(ids, anyOne, d)
		},
	}
	cmd.Flags().BoolVar(&anyOne, "any", false, "until the first one has finished")
	cmd.Flags().StringVar(&limit, "timeout", "", "give up after this `DURATION`, with exit code 125")
	return cmd
}
