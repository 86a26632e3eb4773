package queuetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/task"
)

// LogSuite checks what every queue.Log promises. open opens the queue in a
// directory and waits until it leads; durable says whether the log keeps
// commands across a close.
func LogSuite(t *testing.T, open func(t testing.TB, dir string) *queue.Queue, durable bool) {
	t.Run("order", func(t *testing.T) { logOrder(t, open(t, t.TempDir())) })
	t.Run("once", func(t *testing.T) { logOnce(t, open(t, t.TempDir())) })
	t.Run("fromCallback", func(t *testing.T) { logFromCallback(t, open(t, t.TempDir())) })
	t.Run("close", func(t *testing.T) { logClose(t, open(t, t.TempDir())) })
	t.Run("reopen", func(t *testing.T) {
		if !durable {
			t.Skip("this log keeps nothing")
		}
		logReopen(t, open)
	})
}

func ctx(t testing.TB) context.Context {
	c, stop := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(stop)
	return c
}

func finish(t testing.TB, q *queue.Queue) {
	t.Helper()
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
}

func one(i int) []task.NewTask {
	return []task.NewTask{{Spec: task.Spec{Shell: fmt.Sprint(i), Priority: 50}}}
}

// logOrder: proposals of one goroutine apply in the order of the calls.
func logOrder(t *testing.T, q *queue.Queue) {
	defer finish(t, q)
	var all []*queue.Pending[queue.SubmitReply]
	for i := range 2000 {
		all = append(all, q.Submit("me", one(i)))
	}
	for i, p := range all {
		r, err := p.Wait(ctx(t))
		if err != nil {
			t.Fatal(err)
		}
		if r.Tasks[0].ID != task.ID(i+1) {
			t.Fatalf("submit %d became task %d", i, r.Tasks[0].ID)
		}
	}
}

// logOnce: every proposal from many goroutines is answered exactly once, and
// what one call submits has consecutive numbers.
func logOnce(t *testing.T, q *queue.Queue) {
	defer finish(t, q)
	var mu sync.Mutex
	seen := map[task.ID]bool{}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for range 20 {
				list := make([]task.NewTask, 1+g*150)
				for i := range list {
					list[i].Spec = task.Spec{Shell: "x"}
				}
				r, err := q.Submit("me", list).Wait(ctx(t))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for i, x := range r.Tasks {
					if seen[x.ID] || x.ID != r.Tasks[0].ID+task.ID(i) {
						t.Errorf("task %d of a submit that begins with %d; seen before: %v", x.ID, r.Tasks[0].ID, seen[x.ID])
					}
					seen[x.ID] = true
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if n := q.Counts()[task.Queued]; n != len(seen) {
		t.Fatalf("%d tasks are there, %d were acknowledged", n, len(seen))
	}
}

// logFromCallback: an answer may be used to propose more.
func logFromCallback(t *testing.T, q *queue.Queue) {
	defer finish(t, q)
	done := make(chan error, 1)
	var next func(i int)
	next = func(i int) {
		q.Submit("me", one(i)).Then(func(_ queue.SubmitReply, err error) {
			if err != nil || i == 500 {
				done <- err
				return
			}
			next(i + 1)
		})
	}
	next(1)
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-ctx(t).Done():
		t.Fatal("no answer")
	}
}

// logClose: after Close nothing is accepted, and everything that was proposed
// is answered.
func logClose(t *testing.T, q *queue.Queue) {
	var all []*queue.Pending[queue.SubmitReply]
	for i := range 500 {
		all = append(all, q.Submit("me", one(i)))
	}
	finish(t, q)
	all = append(all, q.Submit("me", one(0)))
	for i, p := range all {
		_, err := p.Wait(ctx(t))
		if errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("proposal %d was never answered", i)
		}
		if i == 500 && task.KindOf(err) != task.KindUnavailable && task.KindOf(err) != task.KindNoDispatcher {
			t.Fatalf("after Close: %v", err)
		}
	}
	if _, ok := q.Leader(); ok {
		t.Fatal("a closed log leads")
	}
	finish(t, q)
}

// logReopen: what was acknowledged is there after a close, terms rise, and
// the state is the same.
func logReopen(t *testing.T, open func(t testing.TB, dir string) *queue.Queue) {
	dir := t.TempDir()
	last := uint64(0)
	want := 0
	for round := range 4 {
		q := open(t, dir)
		term, ok := q.Leader()
		if !ok || term <= last {
			t.Fatalf("term %d after %d", term, last)
		}
		if n := q.Counts()[task.Queued]; n != want {
			t.Fatalf("round %d: %d tasks, %d were acknowledged", round, n, want)
		}
		for i := range 50 {
			if _, err := q.Submit("me", one(i)).Wait(ctx(t)); err != nil {
				t.Fatal(err)
			}
			want++
		}
		hash := q.Hash()
		finish(t, q)
		q = open(t, dir)
		if q.Hash() != hash {
			t.Fatal("the state is another after a restart")
		}
		last, _ = q.Leader()
		finish(t, q)
	}
}
