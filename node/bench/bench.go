// Package bench measures a cluster as its users meet it: tasks go in through a
// Control and come back as results, on the same way as any other task.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// Options say what is measured.
type Options struct {
	Tasks    int    // how many
	Kind     string // "null" starts no process, "true" a program, "sh" a shell
	Sandbox  string // level to ask for; empty is the node's default
	InFlight int    // most unfinished at once; 0 is all, 1 measures latency
	Batch    int    // tasks in one submit
	// SubmitOnly measures submits alone: the tasks ask for a node that does not
	// exist and are cancelled afterwards. InFlight 1 submits one after the other.
	SubmitOnly bool
	Progress   func(done, all int)
}

// Report is what came out. Latencies are from before the submit to when the
// result is known here.
type Report struct {
	Tasks, Failed      int
	Workers, Slots     int
	Elapsed            time.Duration // from the first submit to the last result
	Submitting         time.Duration // until the last submit was acknowledged
	P50, P95, P99, Max time.Duration
}

// Spec is the task that a kind stands for.
func Spec(kind, sandbox string) (task.Spec, error) {
	s := task.Spec{Priority: task.PriorityNormal, Need: task.Need{Sandbox: sandbox}}
	switch kind {
	case "null":
		s.Null = true
	case "true":
		s.Argv = []string{"/bin/true"}
	case "sh":
		s.Shell = "true"
	default:
		return s, task.Errorf(task.KindUsage, "%q is not a kind of task to measure; the kinds are null, true and sh", kind)
	}
	return s, nil
}

// Run measures. Tasks that failed are counted; a submit that is refused ends
// the measurement with its error.
func Run(ctx context.Context, c control.Control, o Options) (Report, error) {
	spec, err := Spec(o.Kind, o.Sandbox)
	if err != nil {
		return Report{}, err
	}
	m := &measure{o: o, c: c, spec: spec, took: make([]time.Duration, 0, o.Tasks)}
	if nodes, err := c.Nodes(ctx); err == nil {
		for _, n := range nodes {
			if n.State == control.NodeUp && n.Capacity.Slots > 0 {
				m.report.Workers++
				m.report.Slots += int(n.Capacity.Slots)
			}
		}
	}
	m.start = time.Now()
	switch {
	case o.SubmitOnly:
		err = m.submits(ctx)
	case o.InFlight == 1:
		err = m.oneByOne(ctx)
	default:
		err = m.many(ctx)
	}
	if !o.SubmitOnly {
		m.report.Elapsed = time.Since(m.start)
	}
	return m.finish(), err
}

type measure struct {
	o      Options
	c      control.Control
	spec   task.Spec
	start  time.Time
	report Report
	took   []time.Duration
}

// oneByOne submits a task, waits for its end as `run` does, and goes on.
func (m *measure) oneByOne(ctx context.Context) error {
	for i := range m.o.Tasks {
		begun := time.Now()
		r, err := m.c.Submit(ctx, control.SubmitRequest{Tasks: []control.NewTask{{Spec: m.spec}}})
		if err != nil {
			return err
		}
		if err := refusal(r.Results[0]); err != nil {
			return err
		}
		t, err := m.end(ctx, r.Results[0].ID)
		if err != nil {
			return err
		}
		m.count(t.State, time.Since(begun))
		m.progress(i + 1)
	}
	return nil
}

// end follows a task to its end.
func (m *measure) end(ctx context.Context, id task.ID) (task.Task, error) {
	f, err := m.c.Follow(ctx, control.FollowRequest{ID: id})
	if err != nil {
		return task.Task{}, err
	}
	defer f.Close()
	var last task.Task
	for {
		it, err := f.Next()
		if errors.Is(err, io.EOF) {
			return last, nil
		}
		if err != nil {
			return last, err
		}
		if it.Task != nil {
			last = *it.Task
			if last.State.Terminal() {
				return last, nil
			}
		}
	}
}

func refusal(s control.Submitted) error {
	if s.ID != 0 {
		return nil
	}
	return task.Errorf(s.Kind, "%s", s.Message).WithHint("%s", s.Hint)
}

func (m *measure) count(s task.State, d time.Duration) {
	m.took = append(m.took, d)
	if s != task.Done {
		m.report.Failed++
	}
}

func (m *measure) progress(done int) {
	if m.o.Progress != nil {
		m.o.Progress(done, m.o.Tasks)
	}
}

// many keeps submits and results going at the same time.
func (m *measure) many(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	es, err := m.c.Events(ctx, control.EventsRequest{Kinds: []control.EventKind{control.EventTask}, Ends: true})
	if err != nil {
		return err
	}
	defer es.Close()
	p := &pending{begun: make(map[task.ID]time.Time, m.o.Tasks), early: make(map[task.ID]ended), room: m.o.InFlight}
	p.cond = sync.NewCond(&p.mu)
	stop := context.AfterFunc(ctx, func() { p.mu.Lock(); p.over = true; p.cond.Broadcast(); p.mu.Unlock() })
	defer stop()
	submitted := make(chan error, 1)
	go func() {
		err := m.submitAll(ctx, p)
		m.report.Submitting = time.Since(m.start)
		if err != nil {
			cancel()
		}
		submitted <- err
	}()
	err = m.collect(es, p)
	cancel()
	return errors.Join(<-submitted, err)
}

// pending matches ends with submits, whichever is known first.
type pending struct {
	mu    sync.Mutex
	cond  *sync.Cond
	begun map[task.ID]time.Time
	early map[task.ID]ended
	out   int
	room  int // 0 is no limit
	over  bool
}

type ended struct {
	state task.State
	at    time.Time
}

// submitters is how many submits are under way at once.
const submitters = 4

func (m *measure) submitAll(ctx context.Context, p *pending) error {
	sizes := make(chan int)
	errs := make(chan error, submitters)
	var wg sync.WaitGroup
	for range submitters {
		wg.Go(func() {
			for n := range sizes {
				if err := m.submit(ctx, p, n); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	var err error
feed:
	for left := m.o.Tasks; left > 0; {
		n := min(left, m.o.Batch)
		if !p.reserve(n) {
			break
		}
		select {
		case sizes <- n:
			left -= n
		case err = <-errs:
			break feed
		}
	}
	close(sizes)
	wg.Wait()
	if err == nil && len(errs) > 0 {
		err = <-errs
	}
	return err
}

// reserve waits until n more may be under way.
func (p *pending) reserve(n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.room > 0 && p.out > 0 && p.out+n > p.room && !p.over {
		p.cond.Wait()
	}
	p.out += n
	return !p.over
}

func (m *measure) submit(ctx context.Context, p *pending, n int) error {
	r := control.SubmitRequest{Tasks: make([]control.NewTask, n)}
	for i := range r.Tasks {
		r.Tasks[i].Spec = m.spec
	}
	begun := time.Now()
	reply, err := m.c.Submit(ctx, r)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range reply.Results {
		if err := refusal(s); err != nil {
			return err
		}
		if e, ok := p.early[s.ID]; ok {
			delete(p.early, s.ID)
			m.settle(p, e, begun)
			continue
		}
		p.begun[s.ID] = begun
	}
	return nil
}

// settle counts one task whose submit and end are both known.
func (m *measure) settle(p *pending, e ended, begun time.Time) {
	m.count(e.state, e.at.Sub(begun))
	p.out--
	if len(m.took) == m.o.Tasks {
		p.over = true
	}
	p.cond.Broadcast()
}

func (m *measure) collect(es control.EventStream, p *pending) error {
	got := make(chan error, 1)
	go func() {
		for {
			events, err := es.Next()
			if err != nil {
				got <- err
				return
			}
			now := time.Now()
			p.mu.Lock()
			for _, e := range events {
				if e.Kind == control.EventGap {
					p.mu.Unlock()
					got <- fmt.Errorf("results came faster than they could be counted")
					return
				}
				if begun, ok := p.begun[e.Task]; ok {
					delete(p.begun, e.Task)
					m.settle(p, ended{e.To, now}, begun)
				} else {
					p.early[e.Task] = ended{e.To, now}
				}
			}
			done := len(m.took)
			p.mu.Unlock()
			m.progress(done)
		}
	}()
	p.mu.Lock()
	for !p.over {
		p.cond.Wait()
	}
	all := len(m.took) == m.o.Tasks
	p.mu.Unlock()
	_ = es.Close()
	err := <-got
	if all {
		return nil
	}
	if errors.Is(err, io.EOF) {
		err = task.Errorf(task.KindUnavailable, "the measurement ended early")
	}
	return err
}

func (m *measure) finish() Report {
	r := m.report
	r.Tasks = len(m.took)
	if m.o.SubmitOnly {
		r.Tasks = m.o.Tasks
	}
	if len(m.took) == 0 {
		return r
	}
	slices.Sort(m.took)
	at := func(q float64) time.Duration { return m.took[min(len(m.took)-1, int(q*float64(len(m.took))))] }
	r.P50, r.P95, r.P99, r.Max = at(0.50), at(0.95), at(0.99), m.took[len(m.took)-1]
	return r
}

// nowhere is the name of a node that does not exist.
const nowhere = "no node has this name"

// submits measures submits of tasks that nobody can run.
func (m *measure) submits(ctx context.Context) error {
	m.spec.Need.On = nowhere
	p := &pending{begun: make(map[task.ID]time.Time), early: make(map[task.ID]ended)}
	p.cond = sync.NewCond(&p.mu)
	var err error
	if m.o.InFlight == 1 {
		for left := m.o.Tasks; left > 0 && err == nil; left -= min(left, m.o.Batch) {
			begun := time.Now()
			err = m.submit(ctx, p, min(left, m.o.Batch))
			m.count(task.Done, time.Since(begun))
		}
	} else {
		err = m.submitAll(ctx, p)
	}
	m.report.Submitting = time.Since(m.start)
	ids := make([]task.ID, 0, len(p.begun))
	for id := range p.begun {
		ids = append(ids, id)
	}
	m.report.Elapsed = m.report.Submitting
	_, cerr := m.c.Cancel(ctx, control.CancelRequest{IDs: ids})
	return errors.Join(err, cerr)
}
