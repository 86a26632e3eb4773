package queuetest

import (
	"context"
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/task"
)

// Opener opens the queue in a directory again, with Limit as MaxSize and the
// clock's Now, and waits until it leads.
type Opener func(c *Clock) *queue.Queue

// Limit is the MaxSize that Histories expects.
const Limit = 40

// Histories drives a queue with a random history and compares every answer,
// and what can be read, with a Model. It closes and opens the queue in
// between. The queue is closed at the end.
func Histories(t *rapid.T, open Opener) {
	c := NewClock()
	h := &history{T: t, c: c, q: open(c), m: NewModel(Limit), open: open, seen: map[task.ID]task.State{}}
	h.watch = h.q.Watch(0)
	t.Repeat(map[string]func(*rapid.T){
		"":        h.check,
		"submit":  h.submit,
		"take":    h.take,
		"grant":   h.grant,
		"untake":  h.untake,
		"forgery": h.forgery,
		"record":  h.record,
		"release": h.release,
		"cancel":  h.cancel,
		"purge":   h.purge,
		"clock": func(t *rapid.T) {
			c.T = c.T.Add(time.Duration(rapid.IntRange(1, 3000).Draw(t, "ms")) * time.Millisecond)
		},
		"running": h.running,
		"reopen":  func(t *rapid.T) { h.reopen() },
	})
	h.reopen()
	h.check(t)
	if err := h.q.Close(); err != nil {
		t.Fatal(err)
	}
}

type history struct {
	*rapid.T
	c     *Clock
	q     *queue.Queue
	m     *Model
	open  Opener
	watch *queue.Watcher
	seen  map[task.ID]task.State // as the feed told it
	taken []queue.Item
	sent  []queue.Grant // every fence that was granted
}

func wait[T any](t *rapid.T, p *queue.Pending[T]) T {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	v, err := p.Wait(ctx)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return v
}

func same(t *rapid.T, what string, got, want any) {
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Fatalf("%s\n got %+v\nwant %+v", what, got, want)
	}
}

func (h *history) anyID(t *rapid.T) task.ID {
	return task.ID(rapid.IntRange(1, int(h.m.Next)).Draw(t, "id"))
}

func (h *history) submit(t *rapid.T) {
	by := task.Principal(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "by"))
	var list []task.NewTask
	for range rapid.IntRange(1, 6).Draw(t, "n") {
		n := task.NewTask{Spec: task.Spec{
			Shell:    rapid.SampledFrom([]string{"x", "y"}).Draw(t, "cmd"),
			Priority: rapid.SampledFrom([]uint8{25, 50}).Draw(t, "prio"),
			Retries:  int32(rapid.IntRange(0, 2).Draw(t, "retries")),
			Delivery: rapid.SampledFrom([]task.Delivery{task.AtLeastOnce, task.AtMostOnce}).Draw(t, "delivery"),
		}}
		if rapid.Bool().Draw(t, "keyed") {
			n.Key = fmt.Sprint(rapid.IntRange(1, 12).Draw(t, "key"))
		}
		list = append(list, n)
	}
	want := h.m.Submit(by, list)
	got := wait(t, h.q.Submit(by, list))
	same(t, "submit", got.Tasks, want)
	same(t, "waiting", got.Waiting, h.m.Waiting())
}

func (h *history) take(t *rapid.T) {
	classes := h.q.Classes()
	if len(classes) == 0 {
		t.Skip("nothing is ready")
	}
	k := rapid.SampledFrom(classes).Draw(t, "class")
	n := rapid.IntRange(1, 5).Draw(t, "n")
	items := h.q.Take(k.ID, n)
	if len(items) != min(n, k.Count) || items[0].ID != k.Oldest {
		t.Fatalf("took %+v of %+v", items, k)
	}
	for i, it := range items {
		m := h.m.Tasks[it.ID]
		if m == nil || m.State != task.Queued && m.State != task.Retry || m.Spec.Shell != it.Spec.Shell ||
			m.Spec.Priority != k.Priority || m.Spec.Delivery != k.Delivery {
			t.Fatalf("took %+v, which is %+v", it, m)
		}
		if i > 0 && items[i-1].ID >= it.ID {
			t.Fatalf("not oldest first: %+v", items)
		}
		for _, g := range h.sent {
			if g.ID == it.ID && !g.Fence.Less(it.Fence) {
				t.Fatalf("fence %v of task %d is not above %v", it.Fence, it.ID, g.Fence)
			}
		}
		for _, o := range h.taken {
			if o.ID == it.ID {
				t.Fatalf("task %d was taken twice", it.ID)
			}
		}
		h.sent = append(h.sent, queue.Grant{ID: it.ID, Fence: it.Fence})
	}
	h.taken = append(h.taken, items...)
}

func (h *history) someTaken(t *rapid.T) []queue.Item {
	if len(h.taken) == 0 {
		t.Skip("nothing is taken")
	}
	n := rapid.IntRange(1, len(h.taken)).Draw(t, "n")
	items := h.taken[:n]
	h.taken = h.taken[n:]
	return items
}

func (h *history) grant(t *rapid.T) {
	node := task.NodeID(rapid.SampledFrom([]string{"w1", "w2"}).Draw(t, "node"))
	term, _ := h.q.Leader()
	var g []queue.Grant
	var want []queue.GrantVerdict
	for _, it := range h.someTaken(t) {
		x := queue.Grant{ID: it.ID, Fence: it.Fence}
		g = append(g, x)
		want = append(want, h.m.Grant(node, x, term, h.c.Ms()))
	}
	same(t, "grant", wait(t, h.q.Grant(node, g)), want)
}

func (h *history) untake(t *rapid.T) {
	for _, it := range h.someTaken(t) {
		h.q.Untake(it.ID)
	}
}

// forgery grants what was not taken, with any fence.
func (h *history) forgery(t *rapid.T) {
	id := h.anyID(t)
	for _, it := range h.taken {
		if it.ID == id {
			t.Skip("it is taken")
		}
	}
	term, _ := h.q.Leader()
	g := queue.Grant{ID: id, Fence: task.Fence{
		Term:    uint64(rapid.IntRange(0, int(term)+1).Draw(t, "term")),
		Attempt: uint32(rapid.IntRange(0, 3).Draw(t, "attempt")),
	}}
	want := h.m.Grant("w3", g, term, h.c.Ms())
	if want == queue.Granted {
		h.sent = append(h.sent, g)
	}
	same(t, "forged grant", wait(t, h.q.Grant("w3", []queue.Grant{g})), []queue.GrantVerdict{want})
}

func (h *history) anyFence(t *rapid.T) queue.Grant {
	if len(h.sent) == 0 {
		t.Skip("nothing was granted")
	}
	// Mostly a late one.
	i := rapid.IntRange(max(0, len(h.sent)-12), len(h.sent)-1).Draw(t, "fence")
	return h.sent[i]
}

func (h *history) record(t *rapid.T) {
	var list []queue.Outcome
	var want []queue.RecordReply
	for range rapid.IntRange(1, 4).Draw(t, "n") {
		g := h.anyFence(t)
		var holder task.NodeID
		if m := h.m.Tasks[g.ID]; m != nil {
			holder = m.Node
		}
		if rapid.IntRange(0, 9).Draw(t, "forged") == 0 {
			holder = "w0"
		}
		o := queue.Outcome{ID: g.ID, Fence: g.Fence, Node: holder, Started: 1, Ended: 2, Exit: rapid.SampledFrom([]task.Exit{
			{Reason: task.ReasonExit},
			{Code: 1, Reason: task.ReasonExit},
			{Code: 124, Reason: task.ReasonTimeout},
			{Code: 143, Signal: 15, Reason: task.ReasonCancelled},
		}).Draw(t, "exit")}
		if rapid.Bool().Draw(t, "output") {
			o.Output = task.Output{Inline: []byte("out"), Bytes: 3}
		}
		list = append(list, o)
		want = append(want, h.m.Record(o, h.c.Ms()))
	}
	same(t, "record", wait(t, h.q.Record(list)), want)
}

func (h *history) release(t *rapid.T) {
	g := h.anyFence(t)
	r := queue.Release{ID: g.ID, Fence: g.Fence, Why: queue.ReleaseReason(rapid.IntRange(1, 4).Draw(t, "why"))}
	want := h.m.Release(r)
	same(t, "return", wait(t, h.q.Release([]queue.Release{r})), []queue.ReleaseReply{want})
}

func (h *history) cancel(t *rapid.T) {
	var ids []task.ID
	var want []queue.CancelReply
	for range rapid.IntRange(1, 3).Draw(t, "n") {
		id := h.anyID(t)
		ids = append(ids, id)
		want = append(want, h.m.Cancel(id))
	}
	same(t, "cancel", wait(t, h.q.Cancel("me", ids)), want)
}

func (h *history) purge(t *rapid.T) {
	var ids []task.ID
	for range rapid.IntRange(1, 20).Draw(t, "n") {
		ids = append(ids, h.anyID(t))
	}
	same(t, "purge", wait(t, h.q.Purge(ids)), h.m.Purge(ids))
}

func (h *history) running(t *rapid.T) {
	g := h.anyFence(t)
	h.q.MarkRunning([]queue.Started{{ID: g.ID, Fence: g.Fence, At: h.c.Ms()}})
}

// follow reads the feed and checks that each step is legal and follows the
// one before.
func (h *history) follow(t *rapid.T) {
	now, stop := context.WithCancel(context.Background())
	stop()
	for {
		list, err := h.watch.Next(now)
		if err != nil {
			break
		}
		for _, c := range list {
			if h.seen[c.ID] != c.From || c.To != 0 && !c.From.MayBecome(c.To) || c.To == 0 && !c.From.Terminal() {
				t.Fatalf("task %d was %v, and then: %+v", c.ID, h.seen[c.ID], c)
			}
			if h.seen[c.ID] = c.To; c.To == 0 {
				delete(h.seen, c.ID)
			}
		}
	}
	for id, m := range h.m.Tasks {
		st := h.seen[id]
		if st == task.Running {
			st = task.Assigned
		}
		same(t, fmt.Sprintf("task %d in the feed", id), st, m.State)
	}
	same(t, "tasks in the feed", len(h.seen), len(h.m.Tasks))
}

func (h *history) reopen() {
	h.follow(h.T)
	hash := h.q.Hash()
	if err := h.q.Close(); err != nil {
		h.Fatalf("close: %v", err)
	}
	h.q = h.open(h.c)
	h.taken = nil
	h.watch = h.q.Watch(0)
	for id, st := range h.seen {
		if st == task.Running {
			h.seen[id] = task.Assigned
		}
	}
	if h.q.Hash() != hash {
		h.Fatalf("the hash is another after a restart")
	}
}

// check compares everything that can be read.
func (h *history) check(t *rapid.T) {
	counts := map[task.State]int{}
	held := 0
	for id, m := range h.m.Tasks {
		got, err := h.q.Get(id)
		if err != nil {
			t.Fatalf("get %d: %v", id, err)
		}
		st := got.State
		if st == task.Running {
			st = task.Assigned
		}
		counts[st]++
		attempts := m.Attempts
		if m.State == task.Assigned {
			attempts++
			held++
		}
		if st != m.State || got.By != m.By || got.Key != m.Key || got.Spec.Shell != m.Spec.Shell || got.NotBefore != m.NotBefore ||
			len(got.Attempts) != attempts || m.Ends > 1 || got.Cancelling != (m.Cancel && !st.Terminal()) {
			t.Fatalf("task %d\n got %+v\nwant %+v", id, got, m)
		}
	}
	if _, err := h.q.Get(h.m.Next); task.KindOf(err) != task.KindNotFound {
		t.Fatalf("a task that nobody submitted: %v", err)
	}
	sum := 0
	for st, n := range h.q.Counts() {
		if st == task.Running {
			st = task.Assigned
			n += h.q.Counts()[task.Assigned]
		} else if st == task.Assigned {
			n += h.q.Counts()[task.Running]
		}
		same(t, "count of "+st.String(), n, counts[st])
	}
	for _, k := range h.q.Classes() {
		sum += k.Count
	}
	same(t, "ready", h.q.ReadyCount(), sum)
	same(t, "held", len(h.q.Held("")), held)
	h.checkList(t)
}

func (h *history) checkList(t *rapid.T) {
	var got []task.ID
	f := task.Query{Limit: 7}
	for {
		p, err := h.q.List(context.Background(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range p.Tasks {
			got = append(got, x.ID)
		}
		same(t, "total", p.Total, len(h.m.Tasks))
		if !p.More {
			break
		}
		f.After = p.Next
	}
	want := h.m.IDs()
	for i, j := 0, len(want)-1; i < j; i, j = i+1, j-1 {
		want[i], want[j] = want[j], want[i]
	}
	same(t, "list", got, want)
}
