package queue_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/queuetest"
	"github.com/adauldev/octaskly/queue/task"
)

// clock is a time that stands still until it is moved.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func newClock() *clock { return &clock{time.UnixMilli(1_700_000_000_000)} }

// openMem opens a queue on a MemLog; the caller closes it.
func openMem(t testing.TB, dir string, c *clock) *queue.Queue {
	t.Helper()
	return openWith(t, queue.Options{Dir: dir, Now: c.now})
}

// openWith opens a queue of at most 1000 tasks with these options on a MemLog.
func openWith(t testing.TB, o queue.Options) *queue.Queue {
	t.Helper()
	o.Logger, o.MinFree, o.MaxSize = slog.New(slog.DiscardHandler), -1, 1000
	s, err := queue.OpenState(o)
	if err != nil {
		t.Fatal(err)
	}
	return queue.New(s, queuetest.NewMemLog(s), o)
}

func must[T any](t testing.TB, p *queue.Pending[T]) T {
	t.Helper()
	v, err := p.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func shell(cmd string) task.NewTask {
	return task.NewTask{Spec: task.Spec{Shell: cmd, Priority: task.PriorityNormal}}
}

func mustTake(t testing.TB, q *queue.Queue, n int) []queue.Item {
	t.Helper()
	var items []queue.Item
	for _, c := range q.Classes() {
		items = append(items, q.Take(c.ID, n-len(items))...)
		if len(items) == n {
			break
		}
	}
	if len(items) != n {
		t.Fatalf("took %d tasks, want %d", len(items), n)
	}
	return items
}

func grants(items []queue.Item) []queue.Grant {
	var g []queue.Grant
	for _, i := range items {
		g = append(g, queue.Grant{ID: i.ID, Fence: i.Fence})
	}
	return g
}

func TestLifeOfATask(t *testing.T) {
	c := newClock()
	q := openMem(t, t.TempDir(), c)
	r := must(t, q.Submit("local:1000@a", []task.NewTask{shell("echo 1"), shell("echo 2")}))
	if len(r.Tasks) != 2 || r.Tasks[0] != (queue.Submitted{ID: 1, Verdict: queue.Accepted}) || r.Tasks[1] != (queue.Submitted{ID: 2, Verdict: queue.Accepted}) || r.Waiting != 2 {
		t.Fatalf("submit: %+v", r)
	}
	items := mustTake(t, q, 2)
	if items[0].ID != 1 || items[0].Fence != (task.Fence{Term: 1, Attempt: 1}) || items[0].Spec.Shell != "echo 1" {
		t.Fatalf("take: %+v", items)
	}
	if g := must(t, q.Grant("w1", grants(items))); g[0] != queue.Granted || g[1] != queue.Granted {
		t.Fatalf("grant: %v", g)
	}
	q.MarkRunning([]queue.Started{{ID: 1, Fence: items[0].Fence, At: 5}})
	if got, _ := q.Get(1); got.State != task.Running || got.Attempts[0].Started != 5 || got.Attempts[0].Node != "w1" {
		t.Fatalf("get: %+v", got)
	}
	out := []queue.Outcome{
		{ID: 1, Fence: items[0].Fence, Node: "w1", Exit: task.Exit{Reason: task.ReasonExit}, Output: task.Output{Inline: []byte("1\n"), Bytes: 2}},
		{ID: 2, Fence: items[1].Fence, Node: "w1", Exit: task.Exit{Code: 7, Reason: task.ReasonExit}},
	}
	if v := must(t, q.Record(out)); v[0] != (queue.RecordReply{Verdict: queue.Recorded, State: task.Done}) || v[1] != (queue.RecordReply{Verdict: queue.Recorded, State: task.Failed}) {
		t.Fatalf("record: %v", v)
	}
	if v := must(t, q.Record(out)); v[0] != (queue.RecordReply{Verdict: queue.AlreadyRecorded, State: task.Done}) {
		t.Fatalf("record again: %v", v)
	}
	got, err := q.Get(1)
	if err != nil || got.State != task.Done || string(got.Attempts[0].Output.Inline) != "1\n" || got.By != "local:1000@a" {
		t.Fatalf("get: %+v %v", got, err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestDelayedTasksBecomeReady(t *testing.T) {
	c := newClock()
	q := openMem(t, t.TempDir(), c)
	defer q.Close()
	n := shell("false")
	n.Spec.Retries = 1
	must(t, q.Submit("me", []task.NewTask{n}))
	it := mustTake(t, q, 1)
	must(t, q.Grant("w", grants(it)))
	r := must(t, q.Record([]queue.Outcome{{ID: 1, Fence: it[0].Fence, Exit: task.Exit{Code: 1, Reason: task.ReasonExit}}}))
	if r[0] != (queue.RecordReply{Verdict: queue.Recorded, State: task.Retry}) {
		t.Fatalf("record: %v", r)
	}
	got, _ := q.Get(1)
	if next := q.State().MakeDue(c.t.UnixMilli()); next != got.NotBefore || q.ReadyCount() != 0 {
		t.Fatalf("due at %d, task says %d; %d ready", next, got.NotBefore, q.ReadyCount())
	}
	c.t = time.UnixMilli(got.NotBefore)
	if next := q.State().MakeDue(c.t.UnixMilli()); next != 0 || q.ReadyCount() != 1 {
		t.Fatalf("next %d, %d ready", next, q.ReadyCount())
	}
	it = mustTake(t, q, 1)
	if it[0].Fence.Attempt != 2 {
		t.Fatalf("fence %v", it[0].Fence)
	}
	if g := must(t, q.Grant("w", grants(it))); g[0] != queue.Granted {
		t.Fatalf("grant: %v", g)
	}
	r = must(t, q.Record([]queue.Outcome{{ID: 1, Fence: it[0].Fence, Exit: task.Exit{Code: 1, Reason: task.ReasonExit}}}))
	if r[0].State != task.Failed {
		t.Fatalf("record: %v", r)
	}
}

func TestUntakenAttemptIsNeverUsedAgain(t *testing.T) {
	q := openMem(t, t.TempDir(), newClock())
	defer q.Close()
	must(t, q.Submit("me", []task.NewTask{shell("x")}))
	for want := uint32(1); want < 5; want++ {
		it := mustTake(t, q, 1)
		if it[0].Fence.Attempt != want {
			t.Fatalf("attempt %d, want %d", it[0].Fence.Attempt, want)
		}
		q.Untake(it[0].ID)
	}
}

func TestCancelledTasksLeaveTheirClass(t *testing.T) {
	q := openMem(t, t.TempDir(), newClock())
	defer q.Close()
	must(t, q.Submit("me", []task.NewTask{shell("1"), shell("2"), shell("3"), shell("4")}))
	must(t, q.Cancel("me", []task.ID{1, 3}))
	if c := q.Classes(); len(c) != 1 || c[0].Count != 2 || c[0].Oldest != 2 {
		t.Fatalf("%+v", c)
	}
	if n := q.Position(4); n != 1 {
		t.Fatalf("%d before task 4", n)
	}
	if it := q.Take(q.Classes()[0].ID, 10); len(it) != 2 || it[0].ID != 2 || it[1].ID != 4 {
		t.Fatalf("%+v", it)
	}
}
