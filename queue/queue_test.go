package queue

import (
	"log/slog"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// clock is a time that stands still until it is moved.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func newClock() *clock { return &clock{time.UnixMilli(1_700_000_000_000)} }

// openMem opens a queue on a MemLog; the caller closes it.
func openMem(t testing.TB, dir string, c *clock) *Queue {
	t.Helper()
	o := Options{Dir: dir, Now: c.now, Logger: slog.New(slog.DiscardHandler), MinFree: -1, MaxSize: 1000}
	s, err := OpenState(o)
	if err != nil {
		t.Fatal(err)
	}
	return New(s, NewMemLog(s), o)
}

func must[T any](t testing.TB, p *Pending[T]) T {
	t.Helper()
	v, err := p.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func shell(cmd string) NewTask {
	return NewTask{Spec: task.Spec{Shell: cmd, Priority: task.PriorityNormal}}
}

func (q *Queue) mustTake(t testing.TB, n int) []Item {
	t.Helper()
	var items []Item
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

func grants(items []Item) []Grant {
	var g []Grant
	for _, i := range items {
		g = append(g, Grant{i.ID, i.Fence})
	}
	return g
}

func TestLifeOfATask(t *testing.T) {
	c := newClock()
	q := openMem(t, t.TempDir(), c)
	r := must(t, q.Submit("local:1000@a", []NewTask{shell("echo 1"), shell("echo 2")}))
	if len(r.Tasks) != 2 || r.Tasks[0] != (Submitted{1, Accepted}) || r.Tasks[1] != (Submitted{2, Accepted}) || r.Waiting != 2 {
		t.Fatalf("submit: %+v", r)
	}
	items := q.mustTake(t, 2)
	if items[0].ID != 1 || items[0].Fence != (task.Fence{Term: 1, Attempt: 1}) || items[0].Spec.Shell != "echo 1" {
		t.Fatalf("take: %+v", items)
	}
	if g := must(t, q.Grant("w1", grants(items))); g[0] != Granted || g[1] != Granted {
		t.Fatalf("grant: %v", g)
	}
	q.MarkRunning([]Started{{1, items[0].Fence, 5}})
	if got, _ := q.Get(1); got.State != task.Running || got.Attempts[0].Started != 5 || got.Attempts[0].Node != "w1" {
		t.Fatalf("get: %+v", got)
	}
	out := []Outcome{
		{ID: 1, Fence: items[0].Fence, Node: "w1", Exit: task.Exit{Reason: task.ReasonExit}, Output: task.Output{Inline: []byte("1\n"), Bytes: 2}},
		{ID: 2, Fence: items[1].Fence, Node: "w1", Exit: task.Exit{Code: 7, Reason: task.ReasonExit}},
	}
	if v := must(t, q.Record(out)); v[0] != (RecordReply{Recorded, task.Done}) || v[1] != (RecordReply{Recorded, task.Failed}) {
		t.Fatalf("record: %v", v)
	}
	if v := must(t, q.Record(out)); v[0] != (RecordReply{AlreadyRecorded, task.Done}) {
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
