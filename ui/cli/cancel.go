package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

func newCancelCommand(env *environment) *cobra.Command {
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
			if err := env.writes(cmd); err != nil {
				return err
			}
			r, err := cancelRequest(cmd, args, &f, graceText, now)
			if err != nil {
				return err
			}
			return env.ask(func(ctx context.Context, c *connection) error { return cancelTasks(env, ctx, c, r) })
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
		if r.Grace, err = text.ParseGrace(graceText); err != nil {
			return r, task.Errorf(task.KindUsage, "--grace: %w", err)
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

func cancelTasks(env *environment, ctx context.Context, c *connection, r control.CancelRequest) error {
	if r.Filter != nil {
		q := *r.Filter
		q.Limit = 1
		p, err := c.List(ctx, q)
		if err != nil {
			return err
		}
		if p.Total == 0 || len(p.Tasks) == 0 {
			env.out.say("no task matches")
			return nil
		}
		what := "all that match"
		if p.Total > 0 {
			what = plural(p.Total, "task")
		}
		if ok, err := env.confirm("cancel " + what + "?"); !ok || err != nil {
			return err
		}
	}
	replies, err := c.Cancel(ctx, r)
	if err != nil {
		return err
	}
	return printCancelled(env, replies)
}

type cancelObject struct {
	ID    task.ID    `json:"id"`
	State string     `json:"state"`
	Error *errorBody `json:"error"`
}

// printCancelled prints what became of each; one of one that was refused ends
// with that refusal's code.
func printCancelled(env *environment, replies []control.CancelReply) error {
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
		case env.out.json:
			o := cancelObject{ID: r.ID, State: r.State.String()}
			if refusal != nil {
				b := errorOf(refusal)
				o.Error = &b
			}
			if err := env.out.object(o); err != nil {
				return err
			}
		case refusal != nil:
			env.out.warn("%s", text.CleanLine(refusal.Error()))
		case env.out.quiet:
			if err := env.out.line("%s", r.ID); err != nil {
				return err
			}
		default:
			word := r.State.String()
			if !r.State.Terminal() {
				word = "cancelling"
			}
			if err := env.out.line("%s %s", r.ID, word); err != nil {
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
