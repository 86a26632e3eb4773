package queue_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/queuetest"
	"github.com/adauldev/octaskly/queue/task"
)

// Example takes one task from its submit to its end. Every change returns a Pending:
// Wait returns when the change is durable and applied.
func Example() {
	dir, err := os.MkdirTemp("", "octaskly-example-*")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	options := queue.Options{Dir: dir, MinFree: -1, Logger: slog.New(slog.DiscardHandler)}
	state, err := queue.OpenState(options)
	if err != nil {
		fmt.Println(err)
		return
	}
	q := queue.New(state, queuetest.NewMemLog(state), options) // raftq.OpenQueue in a node
	defer q.Close()

	submitted, _ := q.Submit("user:1000@here", []task.NewTask{{Spec: task.Spec{Shell: "make"}}}).Wait(ctx)
	fmt.Println("task", submitted.Tasks[0].ID, "waits")

	item := q.Take(q.Classes()[0].ID, 1)[0]
	granted, _ := q.Grant("mill", []queue.Grant{{ID: item.ID, Fence: item.Fence}}).Wait(ctx)
	fmt.Println("mill may run it:", granted[0] == queue.Granted)

	result := queue.Outcome{ID: item.ID, Fence: item.Fence, Node: "mill", Exit: task.Exit{Reason: task.ReasonExit}}
	for range 2 { // a worker that is not sure tells it again
		recorded, _ := q.Record([]queue.Outcome{result}).Wait(ctx)
		fmt.Println(recorded[0].State, recorded[0].Verdict == queue.Recorded)
	}
	// Output:
	// task 1 waits
	// mill may run it: true
	// done true
	// done false
}
