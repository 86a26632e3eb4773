package ui

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/demo"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// worker is the cluster as a worker tells it: once its dispatcher is gone, it
// knows of itself only.
type worker struct {
	control.Control
	mu   sync.Mutex
	away bool
	self control.Node
}

func (w *worker) orphan() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.away = true
}

func (w *worker) isAway() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.away
}

func (w *worker) Status(ctx context.Context) (control.Status, error) {
	s, err := w.Control.Status(ctx)
	s.Self.ID, s.Self.Name = w.self.ID, w.self.Name
	if w.isAway() {
		return control.Status{Cluster: s.Cluster, Self: s.Self, Nodes: map[control.NodeState]int{}}, nil
	}
	return s, err
}

func (w *worker) Nodes(ctx context.Context) ([]control.Node, error) {
	if w.isAway() {
		return []control.Node{{ID: w.self.ID, Name: w.self.Name, State: control.NodeUp, Self: true}}, nil
	}
	return w.Control.Nodes(ctx)
}

func (w *worker) List(ctx context.Context, q control.Query) (control.Page, error) {
	if w.isAway() {
		return control.Page{}, nil
	}
	return w.Control.List(ctx, q)
}

// onWorker is a dashboard on the second node of a fleet.
func onWorker(t *testing.T) (*driver, *worker) {
	t.Helper()
	d := drive(t, setup{demo: demo.Options{Nodes: 8, Tasks: 300}})
	nodes, err := d.ctl.Nodes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := &worker{Control: d.ctl.Control}
	for _, n := range nodes {
		if n.State == control.NodeUp && !n.Self {
			w.self = n
			break
		}
	}
	d.ctl.Control = w
	d.pass(6 * time.Second)
	return d, w
}

// A worker that lost its dispatcher is no empty cluster: what was known stays,
// the dispatcher is named, and nothing offers to begin another queue.
func TestLostDispatcherIsNoEmptyCluster(t *testing.T) {
	d, w := onWorker(t)
	d.keys("2")
	before := text(d.view(120, 35))
	w.orphan()
	d.pass(0)
	d.pass(time.Second)
	if s := text(d.view(120, 35)); !strings.Contains(s, "wait") {
		t.Errorf("after a second nothing says that it waits:\n%s", s)
	}
	d.pass(time.Second)
	after := text(d.view(120, 35))
	for _, want := range []string{"LOST 00:00:0", "Dispatcher mill-01 does not answer", "run on", "WORKER"} {
		if !strings.Contains(after, want) {
			t.Errorf("it does not say %q:\n%s", want, after)
		}
	}
	if row := "ffmpeg"; !strings.Contains(before, row) || !strings.Contains(after, row) || strings.Contains(after, "No tasks yet") {
		t.Errorf("the rows are gone:\n%s", after)
	}
	d.keys("3", "pass:60s")
	s := text(d.view(120, 35))
	if !strings.Contains(s, "LOST 00:01:0") || strings.Contains(s, "IDLE") {
		t.Errorf("a minute later:\n%s", s)
	}
	for line := range strings.Lines(s) {
		if strings.Contains(line, "mill-01") && strings.Contains(line, "✓ up") {
			t.Errorf("the lost dispatcher is up: %s", line)
		}
	}
	d.keys("n", "type:make", "enter")
	if s := text(d.view(120, 35)); strings.Contains(s, "the dispatcher?") || !strings.Contains(s, "nothing was sent") {
		t.Errorf("submitting during an outage:\n%s", s)
	}
}

// A member without a dispatcher may begin a queue of its own, but not by Enter.
func TestEnterForksNoCluster(t *testing.T) {
	d := drive(t, setup{demo: demo.Options{Nodes: 3, Tasks: 10}})
	d.ctl.Control = headless{d.ctl.Control}
	d.col = NewCollector(d.ctl, func() time.Time { return d.clk })
	d.m.See(&scene.Snapshot{})
	d.pass(6 * time.Second)
	d.keys("n", "type:make", "enter", "enter")
	if s := text(d.view(80, 24)); strings.Contains(s, "becoming the dispatcher") || strings.Contains(s, "You are the dispatcher") {
		t.Errorf("Enter promoted a member:\n%s", s)
	}
}

// silent is a cluster that stops answering in the middle of a question.
type silent struct {
	control.Control
	mu   sync.Mutex
	hush bool
}

func (c *silent) set(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hush = on
}

func (c *silent) Status(ctx context.Context) (control.Status, error) {
	c.mu.Lock()
	hush := c.hush
	c.mu.Unlock()
	if hush {
		<-ctx.Done()
		return control.Status{}, ctx.Err()
	}
	return c.Control.Status(ctx)
}

// While a question hangs the clock goes on, and after a second and a half the
// cluster is lost; it is back soon after it answers again.
func TestHangingQuestionIsNoLiveScreen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		h := &heard{}
		c := &silent{Control: demo.New(demo.Options{Seed: 7, Nodes: 8, Tasks: 50})}
		p := newPump(c, nil, h.take)
		done := make(chan struct{})
		go func() { p.run(ctx); close(done) }()
		time.Sleep(3 * time.Second)
		c.set(true)
		for second := range 12 {
			time.Sleep(time.Second)
			synctest.Wait()
			s := h.last()
			if age := time.Since(s.Now); age > 800*time.Millisecond {
				t.Errorf("after %d s of silence the clock stands since %v", second+1, age)
			}
			if second >= 2 && (s.Link.State != scene.Gone || len(s.Nodes) == 0) {
				t.Errorf("after %d s of silence: %+v with %d nodes", second+1, s.Link, len(s.Nodes))
			}
		}
		c.set(false)
		time.Sleep(5500 * time.Millisecond)
		synctest.Wait()
		if s := h.last(); s.Link.State != scene.Live {
			t.Errorf("it did not come back: %+v", s.Link)
		}
		stop()
		<-done
	})
}

// What ended while nobody watched, and what was cancelled, is no throughput.
func TestRatesCountWhatWasWatched(t *testing.T) {
	start := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	var r rates
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	r.sample(at(0), 0)
	r.sample(at(2), 4)
	r.sample(at(62), 100_000) // an outage of a minute
	r.sample(at(64), 100_002)
	r.miss() // another dispatcher's counters
	r.sample(at(66), 5)
	r.sample(at(68), 9)
	peak := 0.0
	for _, v := range r.all {
		peak = max(peak, v)
	}
	if peak != 2 {
		t.Errorf("peak %g of %v, want 2", peak, r.all)
	}
}
