package cli

import (
	"context"
	"testing"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// lister is a cluster of finished tasks that answers lists only.
type lister struct {
	control.Control
	lists int
}

func (l *lister) List(_ context.Context, q control.Query) (control.Page, error) {
	l.lists++
	var page control.Page
	for _, id := range q.IDs {
		page.Tasks = append(page.Tasks, task.Task{ID: id, State: task.Done})
	}
	return page, nil
}

// TestWaitAsksForManyAtOnce: what has finished already costs a question a page, and
// none a task.
func TestWaitAsksForManyAtOnce(t *testing.T) {
	ids := make([]task.ID, 10*task.MaxPage)
	for i := range ids {
		ids[i] = task.ID(i + 1)
	}
	cluster := &lister{}
	results, done := waitAll(t.Context(), &connection{Control: cluster}, ids, false)
	for _, id := range ids {
		if got := <-results; got.t.ID != id || got.err != nil {
			t.Fatalf("task %d: got %d, %v", id, got.t.ID, got.err)
		}
	}
	done()
	if cluster.lists != 10 {
		t.Errorf("%d questions, want 10", cluster.lists)
	}
}
