package nodetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/dispatch"
	"github.com/adauldev/octaskly/queue/task"
)

// Play carries out a script on a cluster of its own, stops it, and returns what
// happened and what of it breaks a promise. It must be called in a
// testing/synctest bubble.
func Play(t testing.TB, s Script) ([]task.Event, []Violation) {
	t.Helper()
	c := NewCluster(t, ClusterOptions{Workers: s.Workers, Works: s.Works, Seed: s.Seed})
	p := &player{c: c, s: s, begun: time.Now()}
	var wg sync.WaitGroup
	for i := range s.Tasks {
		wg.Go(func() { p.submit(i) })
	}
	for _, f := range s.Faults {
		wg.Go(func() { p.fault(f) })
	}
	p.until(scriptFaults)
	c.LAN.HealAll()
	c.LAN.SetLoss(0)
	wg.Wait()
	stuck := p.settle()
	p.read()
	c.Stop()
	h := c.History.Events()
	found := Check(h, CheckOptions{Witnessed: true, Complete: true, Lossy: s.Restarts()})
	return h, append(found, stuck...)
}

type player struct {
	c     *Cluster
	s     Script
	begun time.Time

	mu    sync.Mutex
	acked []task.ID
	reads uint64
}

func (p *player) until(at time.Duration) { time.Sleep(time.Until(p.begun.Add(at))) }

// attempt is how long one call of a client may take before it asks again.
const attempt = 3 * time.Second

// submit submits one job again and again until it is acknowledged, and cancels
// it if the job says so.
func (p *player) submit(i int) {
	j := p.s.Tasks[i]
	p.until(j.At)
	spec := task.Spec{Shell: j.Command, Retries: j.Retries, Need: task.Need{CPU: task.Milli(j.CPU)}, Timeout: time.Hour, Grace: time.Second}
	if j.Once {
		spec.Delivery = task.AtMostOnce
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %v", j.Command, j.Retries, j.Once))
	e := task.Event{Kind: task.EvSubmitCall, Node: "client", Key: fmt.Sprintf("job-%d", i), Hash: hex.EncodeToString(sum[:8]), By: p.c.Members[j.By].Name}
	p.c.History.Record(e)
	for {
		id := p.trySubmit(j, spec, e.Key)
		if id == 0 {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		e.Kind, e.Task, e.Delivery, e.Retries = task.EvSubmitOK, id, spec.Delivery, spec.Retries
		p.c.History.Record(e)
		if i%3 == 0 { // a client that did not hear the answer asks once more
			if again := p.trySubmit(j, spec, e.Key); again != 0 {
				e.Task = again
				p.c.History.Record(e)
			}
		}
		p.mu.Lock()
		p.acked = append(p.acked, id)
		p.mu.Unlock()
		if j.Cancel > 0 {
			time.Sleep(j.Cancel)
			p.cancel(id)
		}
		return
	}
}

func (p *player) trySubmit(j Job, spec task.Spec, key string) task.ID {
	ctl := p.c.Members[j.By].Control()
	if ctl == nil {
		return 0
	}
	ctx, cancel := context.WithTimeout(context.Background(), attempt)
	defer cancel()
	r, err := ctl.Submit(ctx, control.SubmitRequest{Tasks: []control.NewTask{{Spec: spec, Key: key}}})
	if err != nil {
		return 0
	}
	return r.Results[0].ID
}

// cancel cancels a task until that is acknowledged or too late.
func (p *player) cancel(id task.ID) {
	for {
		if ctl := p.c.Dispatcher().Control(); ctl != nil {
			ctx, stop := context.WithTimeout(context.Background(), attempt)
			rs, err := ctl.Cancel(ctx, control.CancelRequest{IDs: []task.ID{id}})
			stop()
			if err == nil {
				if rs[0].Kind == "" {
					p.c.History.Record(task.Event{Kind: task.EvCancelOK, Node: "client", Task: id, Grace: int64(time.Second)})
				}
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (p *player) fault(f Fault) {
	p.until(f.At)
	m, d, lan := p.c.Members[f.Node], p.c.Dispatcher(), p.c.LAN
	p.note("%s begins at %s, p %.2f", f.Kind, m.Name, f.P)
	defer p.note("%s ends at %s", f.Kind, m.Name)
	switch f.Kind {
	case FaultLoss:
		lan.SetLoss(f.P)
		time.Sleep(f.For)
		lan.SetLoss(0)
	case FaultCut, FaultCutTo, FaultCutFrom:
		if f.Kind != FaultCutFrom {
			lan.CutOneWay(m.Host, d.Host)
		}
		if f.Kind != FaultCutTo {
			lan.CutOneWay(d.Host, m.Host)
		}
		time.Sleep(f.For)
		lan.Heal(m.Host, d.Host)
	case FaultPause:
		lan.Pause(m.Host)
		time.Sleep(f.For)
		lan.Resume(m.Host)
	case FaultLateAcks:
		lan.Pause(m.Host)
		time.Sleep(1100 * time.Millisecond) // a heartbeat is answered
		lan.CutOneWay(m.Host, d.Host)
		time.Sleep(2800 * time.Millisecond) // before the worker's lease ends
		lan.Resume(m.Host)
		time.Sleep(6 * time.Second)
		lan.Heal(m.Host, d.Host)
	case FaultRestart, FaultKill:
		m.Stop(f.Kind == FaultKill)
		time.Sleep(f.For)
		m.Start()
	}
}

func (p *player) note(format string, a ...any) {
	p.c.History.Record(task.Event{Kind: task.EvFault, Text: fmt.Sprintf(format, a...)})
}

// settle waits until everything has ended. What has not, long after the last
// fault healed, breaks the promise of progress.
func (p *player) settle() []Violation {
	end := time.Now().Add(scriptHeals)
	for {
		var open []task.Task
		for _, t := range p.list() {
			if !t.State.Terminal() {
				open = append(open, t)
			}
		}
		if len(open) == 0 {
			return nil
		}
		if time.Now().After(end) {
			var vs []Violation
			for _, t := range open {
				vs = append(vs, Violation{Invariant: "I20", Task: t.ID, At: len(p.c.History.Events()), Text: fmt.Sprintf("still %s %s after everything was healed", t.State, scriptHeals)})
			}
			return vs
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// list is every task that the dispatcher knows.
func (p *player) list() []task.Task {
	var all []task.Task
	q := control.Query{Oldest: true, Limit: 500}
	for {
		page, err := p.c.Dispatcher().Control().List(context.Background(), q)
		if err != nil {
			p.c.t.Errorf("list: %v", err)
			return all
		}
		all = append(all, page.Tasks...)
		if !page.More {
			return all
		}
		q.After = all[len(all)-1].ID
	}
}

// read records a complete list.
func (p *player) read() {
	p.reads++
	h := p.c.History
	h.Record(task.Event{Kind: task.EvReadCall, Read: p.reads})
	for _, t := range p.list() {
		e := task.Event{Kind: task.EvSeen, Read: p.reads, Task: t.ID, State: t.State}
		if t.State.Terminal() {
			e.Hash = dispatch.ResultHash(&t)
		}
		h.Record(e)
	}
	h.Record(task.Event{Kind: task.EvReadOK, Read: p.reads})
}
