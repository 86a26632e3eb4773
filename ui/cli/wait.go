package cli

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// ended is a task that finished, or why that is not known.
type ended struct {
	t   task.Task
	err error
}

// waitAtOnce is how many tasks are waited for at the same time.
const waitAtOnce = 64

// waitForTasks waits for tasks and prints each as it finishes.
func waitForTasks(env *environment, ids []task.ID, anyOne bool, limit time.Duration) error {
	c, err := env.connect()
	if err != nil {
		return err
	}
	defer c.close()
	ctx, cancel := context.WithCancel(env.ctx)
	defer cancel()
	if limit > 0 {
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	results, done := waitAll(ctx, c, ids, anyOne)
	defer func() { cancel(); done() }()
	bad, code := 0, exitOK
	for range ids {
		r := <-results
		switch {
		case errors.Is(r.err, context.DeadlineExceeded) && limit > 0:
			return task.Errorf(task.KindTimeout, "not finished within %s", text.Elapsed(limit))
		case r.err != nil && (len(ids) == 1 || env.ctx.Err() != nil):
			return withHints(r.err)
		case r.err != nil:
			bad++
			env.out.warn("%s", cleanLines(r.err.Error()))
			continue
		}
		if code = outcomeCode(&r.t); code != exitOK {
			bad++
		}
		if err := printEnded(env, ctx, c, &r.t); err != nil {
			return err
		}
		if anyOne {
			break
		}
	}
	switch {
	case len(ids) == 1 || anyOne:
		if code == exitOK {
			return nil
		}
		return silent(code)
	case bad > 0:
		return silent(exitPartly)
	}
	return nil
}

// waitAll starts the waiting; every task gives one result, and the goroutines
// end with ctx; done returns when they have. Those that have finished already are
// asked for a page at a time; the others are followed, a few at once unless any may
// be the first.
func waitAll(ctx context.Context, c *connection, ids []task.ID, anyOne bool) (<-chan ended, func()) {
	results := make(chan ended, len(ids))
	atOnce := waitAtOnce
	if anyOne {
		atOnce = len(ids)
	}
	next := make(chan task.ID)
	var running sync.WaitGroup
	running.Go(func() {
		defer close(next)
		for part := range slices.Chunk(ids, task.MaxPage) {
			known := finishedOf(ctx, c, part)
			for _, id := range part {
				if t, ok := known[id]; ok {
					results <- ended{t: t}
					continue
				}
				select {
				case next <- id:
				case <-ctx.Done():
					results <- ended{err: context.Cause(ctx)}
				}
			}
		}
	})
	for range min(atOnce, len(ids)) {
		running.Go(func() {
			for id := range next {
				t, err := waitOne(ctx, c, id)
				results <- ended{t, err}
			}
		})
	}
	return results, running.Wait
}

// finishedOf is those of several tasks that have finished, as far as the cluster
// tells; a task that is missing may be followed.
func finishedOf(ctx context.Context, c *connection, ids []task.ID) map[task.ID]task.Task {
	if len(ids) == 1 {
		return nil
	}
	known := map[task.ID]task.Task{}
	query := control.Query{IDs: ids, States: []task.State{task.Done, task.Failed, task.Timeout, task.Cancelled, task.Lost}, Limit: len(ids)}
	for {
		page, err := c.List(ctx, query)
		if err != nil {
			return known
		}
		for _, t := range page.Tasks {
			if t.State.Terminal() {
				known[t.ID] = t
			}
		}
		if query.After = page.Onward(); query.After == 0 {
			return known
		}
	}
}

// waitOne follows a task without its output until it has finished.
func waitOne(ctx context.Context, c *connection, id task.ID) (task.Task, error) {
	var last task.Task
	s, err := c.Follow(ctx, control.FollowRequest{ID: id})
	if err != nil {
		return last, err
	}
	defer closeWith(ctx, s)()
	for {
		item, err := s.Next()
		switch {
		case err != nil && ctx.Err() != nil:
			return last, context.Cause(ctx)
		case errors.Is(err, io.EOF) && last.State.Terminal():
			return last, nil
		case errors.Is(err, io.EOF):
			return last, task.Errorf(task.KindUnavailable, "the dispatcher stopped telling about task %s", id)
		case err != nil:
			return last, err
		}
		if item.Task != nil {
			last = *item.Task
		}
	}
}

func printEnded(env *environment, ctx context.Context, c *connection, t *task.Task) error {
	switch {
	case env.out.json:
		return env.out.object(text.DocumentOf(t, c.nodeName(ctx), false))
	case env.out.quiet:
		return env.out.line("%s", t.ID)
	case env.out.plain:
		return env.out.line("%s\t%s\t%d", t.ID, t.State, outcomeCode(t))
	}
	return env.out.line("%s %s %s", t.ID, t.State, tookText(t, time.Now()))
}

func newWaitCommand(env *environment) *cobra.Command {
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
			return waitForTasks(env, ids, anyOne, d)
		},
	}
	cmd.Flags().BoolVar(&anyOne, "any", false, "until the first one has finished")
	cmd.Flags().StringVar(&limit, "timeout", "", "give up after this `DURATION`, with exit code 125")
	return cmd
}
