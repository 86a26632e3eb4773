package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

func newPsCommand(env *environment) *cobra.Command {
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
			if all && cmd.Flags().Changed("limit") {
				return usageOf(cmd, "--all and --limit exclude each other")
			}
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
				return listTasks(env, q, limit)
			}
			less, err := taskOrder(order, oldest, time.Now())
			if err != nil {
				return err
			}
			return listSortedTasks(env, q, limit, less)
		},
	}
	f.add(cmd)
	cmd.Flags().IntVar(&limit, "limit", 50, "at most so many")
	cmd.Flags().BoolVarP(&all, "all", "a", false, "all of them")
	cmd.Flags().BoolVar(&oldest, "oldest", false, "the oldest first; with --sort, the other way round")
	cmd.Flags().StringVar(&order, "sort", "", "order by this `COLUMN`: id, state, node, time (longest first), exit, priority (highest first), command")
	return cmd
}

// listTasks prints tasks page by page; limit 0 is all. The aligned table is printed
// at its end, so that columns fit.
func listTasks(env *environment, q control.Query, limit int) error {
	return env.ask(func(ctx context.Context, c *connection) error {
		t := taskTable()
		name := c.nodeName(ctx)
		shown, total := 0, 0
		err := c.pages(env.ctx, q, limit, func(p control.Page) error {
			total = p.Total
			for i := range p.Tasks {
				shown++
				if err := listTask(env, t, &p.Tasks[i], name); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		return endTaskList(env, t, shown, total)
	})
}
