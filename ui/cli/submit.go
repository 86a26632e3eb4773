package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

func newSubmitCommand(env *environment) *cobra.Command {
	var t taskFlags
	var from string
	var wait, follow bool
	cmd := &cobra.Command{
		Use:   "submit [flags] COMMAND | -- PROGRAM [ARGUMENT…] | --from FILE",
		Short: "queue a task and print its number",
		Long: `Queue a task and print its number. The task is stored before the number is
printed. One string is given to a shell on the node that runs it; after -- a
program is run directly with its arguments. With --from the flags are the
defaults of every line, and --idempotency-key KEY makes KEY:1, KEY:2 … of the
numbers of the lines, so that a file may be submitted again.`,
		Example: `  octaskly submit 'make -C build test'
  octaskly submit --name nightly --cpus 4 --timeout 2h -- make -j4
  octaskly submit --from tasks.ndjson`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := env.writes(cmd); err != nil {
				return err
			}
			if from == "" && len(args) == 1 && args[0] == "-" && cmd.ArgsLenAtDash() < 0 {
				from = "-"
				args = nil
			}
			if from != "" {
				return submitFrom(env, cmd, from, args, &t)
			}
			sub, err := t.submission(env, cmd, args)
			if err != nil {
				return err
			}
			if wait || follow {
				return submitAndFollow(env, sub, followOptions{output: follow, failFast: t.failFast})
			}
			return submitTask(env, sub, t.failFast)
		},
	}
	t.add(cmd)
	cmd.Flags().StringVar(&from, "from", "", "queue the tasks in this `FILE`, a JSON object a line; - is standard input")
	cmd.Flags().BoolVarP(&wait, "wait", "w", false, "wait for its end and end with its code")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "show its output too, as run does")
	return cmd
}

// submitTask queues a task and prints its number.
func submitTask(env *environment, sub submission, failFast bool) error {
	return env.ask(func(ctx context.Context, c *connection) error {
		id, ahead, err := c.submit(ctx, &sub, failFast)
		if err != nil {
			return err
		}
		return printSubmitted(env, ctx, c, id, ahead)
	})
}

func printSubmitted(env *environment, ctx context.Context, c *connection, id task.ID, ahead int) error {
	if env.out.json {
		t, err := c.Get(ctx, id)
		if err != nil {
			return err
		}
		return env.out.object(text.DocumentOf(&t, c.nodeName(ctx), false))
	}
	if err := env.out.line("%s", id); err != nil {
		return err
	}
	switch ahead {
	case 0:
		env.out.say("queued")
	default:
		env.out.say("queued, %d ahead", ahead)
	}
	env.out.say("  follow it:  octaskly logs -f %s", id)
	return nil
}

// submit stores one task and gives its number and how many go before it.
func (c *connection) submit(ctx context.Context, sub *submission, failFast bool) (task.ID, int, error) {
	if err := c.storeStdin(ctx, &sub.Spec); err != nil {
		return 0, 0, err
	}
	if err := c.sealSecrets(ctx, sub); err != nil {
		return 0, 0, err
	}
	if sub.Key == "" {
		sub.Key = task.NewKey()
	}
	r, err := c.Submit(ctx, control.SubmitRequest{
		Tasks: []control.NewTask{{Spec: sub.Spec, Key: sub.Key}}, FailFast: failFast,
	})
	if err != nil {
		return 0, 0, err
	}
	if len(r.Results) != 1 {
		return 0, 0, task.Errorf(task.KindInternal, "submit: %d answers came for one task", len(r.Results))
	}
	if err := refusalOf(r.Results[0]); err != nil {
		return 0, 0, err
	}
	return r.Results[0].ID, r.Ahead, nil
}

// refusalOf is why a task was refused, or nil.
func refusalOf(s control.Submitted) error {
	if s.Kind == "" {
		return nil
	}
	return &task.Error{Kind: s.Kind, Message: s.Message, Hint: s.Hint}
}
