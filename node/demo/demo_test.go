package demo

import (
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

var ctx = context.Background()

// clock is a time that a test moves by hand.
type clock struct{ t time.Time }

func newClock() *clock { return &clock{time.Date(2026, 11, 23, 14, 2, 11, 0, time.UTC)} }

func (c *clock) now() time.Time        { return c.t }
func (c *clock) pass(d time.Duration)  { c.t = c.t.Add(d) }
func (c *clock) opt(o Options) Options { o.Now = c.now; return o }

// The same seed and times give the same fleet, however often it is asked in between.
func TestSameSeedSameFleet(t *testing.T) {
	a, b := newClock(), newClock()
	fa, fb := New(a.opt(Options{Seed: 7, Nodes: 40, Tasks: 3000})), New(b.opt(Options{Seed: 7, Nodes: 40, Tasks: 3000}))
	for i := 0; i < 50; i++ {
		a.pass(200 * time.Millisecond)
		_, _ = fa.Status(ctx)
	}
	b.pass(10 * time.Second)
	sa, _ := fa.Status(ctx)
	sb, _ := fb.Status(ctx)
	if !reflect.DeepEqual(sa, sb) {
		t.Errorf("status differs:\n%+v\n%+v", sa, sb)
	}
	pa, _ := fa.List(ctx, control.Query{Limit: 200})
	pb, _ := fb.List(ctx, control.Query{Limit: 200})
	if !reflect.DeepEqual(pa, pb) {
		t.Error("the newest tasks differ")
	}
	na, _ := fa.Nodes(ctx)
	nb, _ := fb.Nodes(ctx)
	if !reflect.DeepEqual(na, nb) {
		t.Error("the nodes differ")
	}
}

func TestCountsAgreeWithTasks(t *testing.T) {
	c := newClock()
	f := New(c.opt(Options{Seed: 3, Nodes: 12, Tasks: 2000}))
	c.pass(90 * time.Second)
	s, _ := f.Status(ctx)
	got := map[task.State]int{}
	q := control.Query{Limit: 1000}
	for {
		p, err := f.List(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range p.Tasks {
			got[k.State]++
		}
		if !p.More {
			break
		}
		q.After = p.Tasks[len(p.Tasks)-1].ID
	}
	for st, n := range s.Tasks {
		if got[task.State(st)] != n {
			t.Errorf("%s: status says %d, the list has %d", task.State(st), n, got[task.State(st)])
		}
	}
	if got[task.Done] == 0 || got[task.Running] == 0 || s.Rate == 0 {
		t.Errorf("the fleet does not work: %v rate %f", got, s.Rate)
	}
	if got[task.Running] > s.Slots {
		t.Errorf("%d run in %d slots", got[task.Running], s.Slots)
	}
}

func TestSubmitRunsAndSaysHello(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New(Options{Fresh: true, Self: "ana-laptop"})
		_, err := f.Submit(ctx, control.SubmitRequest{Tasks: []control.NewTask{{Spec: task.Spec{Shell: "echo hello from $(hostname)"}}}})
		if task.KindOf(err) != task.KindNoDispatcher {
			t.Fatalf("without a dispatcher: %v", err)
		}
		if _, err := f.Promote(ctx, control.PromoteRequest{}); err != nil {
			t.Fatal(err)
		}
		rep, err := f.Submit(ctx, control.SubmitRequest{Tasks: []control.NewTask{{Spec: task.Spec{Shell: "echo hello from $(hostname)"}}}})
		if err != nil {
			t.Fatal(err)
		}
		w, err := f.Follow(ctx, control.FollowRequest{ID: rep.Results[0].ID, Output: true})
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		var last task.State
		for {
			it, err := w.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			for _, c := range it.Chunks {
				out.Write(c.Data)
			}
			if it.Task != nil {
				last = it.Task.State
			}
		}
		if out.String() != "hello from ana-laptop\n" || last != task.Done {
			t.Errorf("got %q and %s", out.String(), last)
		}
	})
}

func TestCancelRunning(t *testing.T) {
	c := newClock()
	f := New(c.opt(Options{Seed: 1}))
	p, _ := f.List(ctx, control.Query{States: []task.State{task.Running}, Limit: 1})
	id := p.Tasks[0].ID
	r, err := f.Cancel(ctx, control.CancelRequest{IDs: []task.ID{id, 999_999_999}})
	if err != nil || r[0].State != task.Running || r[1].Kind != task.KindNotFound {
		t.Fatalf("%v %v", r, err)
	}
	c.pass(2 * time.Second)
	k, _ := f.Get(ctx, id)
	if k.State != task.Cancelled || k.Last().Exit.Message == "" {
		t.Errorf("it is %s, %+v", k.State, k.Last())
	}
}

func TestWhyNamesTheTerm(t *testing.T) {
	c := newClock()
	f := New(c.opt(Options{Seed: 1}))
	rep, _ := f.Submit(ctx, control.SubmitRequest{Tasks: []control.NewTask{{Spec: task.Spec{Shell: "train", Need: task.Need{GPUs: 4}}}}})
	w, err := f.Why(ctx, rep.Results[0].ID)
	if err != nil || w.Waits == nil || len(w.Waits.Nodes) != 8 {
		t.Fatalf("%+v %v", w, err)
	}
	for _, v := range w.Waits.Nodes {
		if v.Fits || len(v.Terms) == 0 {
			t.Errorf("%s: %+v", v.Node, v)
		}
	}
}

func TestEventsArriveInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New(Options{Seed: 2})
		st, _ := f.Events(ctx, control.EventsRequest{})
		var last uint64
		for n := 0; n < 200; {
			list, err := st.Next()
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range list {
				if e.Position <= last {
					t.Fatalf("position %d after %d", e.Position, last)
				}
				last = e.Position
				n++
			}
		}
		_ = st.Close()
		if _, err := st.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func BenchmarkMillion(b *testing.B) {
	c := newClock()
	f := New(c.opt(Options{Seed: 7, Nodes: 1000, Tasks: 1_000_000}))
	b.Run("second", func(b *testing.B) {
		for b.Loop() {
			c.pass(time.Second)
			_, _ = f.Status(ctx)
		}
	})
	b.Run("page", func(b *testing.B) {
		for b.Loop() {
			_, _ = f.List(ctx, control.Query{Limit: 100, After: 500_000})
		}
	})
}
