package ui

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/ui/screen"
)

// Limits of what the screen keeps.
const (
	keepEvents  = 2000
	keepHistory = 180 // samples of a node
	allNodes    = 5 * time.Second
	goneAfter   = 3 * time.Second
)

// Collector asks a cluster for what the screen wants and makes snapshots of
// it. Collect and Saw may be called by different goroutines.
type Collector struct {
	ctl control.Control
	now func() time.Time

	asking sync.Mutex // one Collect at a time

	mu        sync.Mutex // guards what Saw writes
	events    []control.Event
	stream    bool // events arrive by themselves
	tasksMove bool
	fresh     map[task.NodeID]control.Node // newer than nodes
	gap       bool
	told      int     // how many events the last snapshot had
	ended     []int64 // when tasks ended, since the past was last counted

	// Only Collect touches the rest.
	version  uint64
	link     screen.Link
	status   control.Status
	nodes    []control.Node
	nodesAt  time.Time
	rates    rates
	hist     map[task.NodeID]*screen.History
	last     screen.Snapshot
	lastWant screen.Want
	listedAt time.Time
	find     *search
}

// NewCollector asks ctl; now is the clock, nil for time.Now.
func NewCollector(ctl control.Control, now func() time.Time) *Collector {
	if now == nil {
		now = time.Now
	}
	return &Collector{ctl: ctl, now: now, hist: map[task.NodeID]*screen.History{}, fresh: map[task.NodeID]control.Node{}}
}

// Saw takes events from the stream.
func (c *Collector) Saw(list []control.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stream = true
	for i := range list {
		e := &list[i]
		switch e.Kind {
		case control.EventGap:
			c.gap = true
		case control.EventTask:
			c.tasksMove = true
			if e.To.Terminal() {
				c.ended = append(c.ended, e.Time)
			}
		}
		if e.NodeInfo != nil {
			c.fresh[e.NodeInfo.ID] = *e.NodeInfo
		}
		if e.Kind != control.EventLoad {
			c.events = append(c.events, *e)
		}
	}
	if over := len(c.events) - keepEvents; over > keepEvents/2 {
		c.events = append([]control.Event(nil), c.events[over:]...)
	}
}

// quiet reports that nothing was heard since the last snapshot, and that
// something would have been.
func (c *Collector) quiet() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stream && !c.gap && !c.tasksMove && len(c.fresh) == 0 && len(c.events) == c.told
}

// Deaf tells that the event stream broke.
func (c *Collector) Deaf() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stream, c.gap = false, true
}

// Collect makes a snapshot. It always returns one: when nothing can be
// reached, the last one with the link's state in it.
func (c *Collector) Collect(ctx context.Context, want screen.Want) *screen.Snapshot {
	c.asking.Lock()
	defer c.asking.Unlock()
	now := c.now()
	st, err := c.ctl.Status(ctx)
	c.note(err, now)
	s := c.last
	if err == nil {
		c.status = st
		c.askNodes(ctx, now)
		c.askTasks(ctx, want, now, &s)
		c.askOne(ctx, want, &s)
		c.sample(now)
	}
	s.Now, s.Link, s.Status = now, c.link, c.status
	s.Nodes, s.Names = c.nodes, c.last.Names
	if c.changedNames() {
		s.Names = namesOf(c.nodes)
	}
	s.Rates = c.rates.all
	s.History = screen.History{}
	if h := c.hist[want.Node]; h != nil {
		s.History = screen.History{Node: want.Node, CPU: slices.Clone(h.CPU), Mem: slices.Clone(h.Mem)}
	}
	c.mu.Lock()
	s.Events = slices.Clip(c.events)
	c.told = len(c.events)
	c.mu.Unlock()
	c.version++
	s.Version = c.version
	c.last, c.lastWant = s, want
	return &s
}

// note keeps how well the cluster is heard.
func (c *Collector) note(err error, now time.Time) {
	switch {
	case err == nil:
		if c.link.State != screen.Live {
			c.link = screen.Link{State: screen.Live, Since: now}
		}
		return
	case c.link.State == screen.Live || c.link.State == screen.Starting:
		since := now
		if c.link.State == screen.Starting && !c.link.Since.IsZero() {
			since = c.link.Since
		}
		c.link = screen.Link{State: screen.Waiting, Since: since}
	case c.link.State == screen.Waiting && now.Sub(c.link.Since) >= goneAfter:
		c.link.State = screen.Gone
	}
	if !errors.Is(err, context.Canceled) {
		c.link.Tries++
		c.link.Err = err.Error()
	}
}

func (c *Collector) changedNames() bool {
	if len(c.last.Names) < len(c.nodes) {
		return true
	}
	for i := range c.nodes {
		if c.last.Names[c.nodes[i].ID] != c.nodes[i].Name {
			return true
		}
	}
	return false
}

func namesOf(nodes []control.Node) map[task.NodeID]string {
	m := make(map[task.NodeID]string, len(nodes))
	for i := range nodes {
		m[nodes[i].ID] = nodes[i].Name
	}
	return m
}

// askNodes reads all nodes now and then, and in between puts in those that
// the event stream told about.
func (c *Collector) askNodes(ctx context.Context, now time.Time) {
	c.mu.Lock()
	fresh, stream, gap := c.fresh, c.stream, c.gap
	c.fresh, c.gap = map[task.NodeID]control.Node{}, false
	c.mu.Unlock()
	old := now.Sub(c.nodesAt)
	if !stream || gap || old >= allNodes || old >= time.Second && !c.nodesAgree() {
		if list, err := c.ctl.Nodes(ctx); err == nil {
			for i := range list {
				c.own(&list[i])
			}
			c.nodes, c.nodesAt = list, now
			c.remember(list)
			return
		}
	}
	if len(fresh) == 0 {
		return
	}
	list := slices.Clone(c.nodes) // the old one belongs to a snapshot
	for i := range list {
		if n, ok := fresh[list[i].ID]; ok {
			list[i] = n
			c.own(&list[i])
			delete(fresh, n.ID)
			c.remember(list[i : i+1])
		}
	}
	if len(fresh) > 0 {
		c.nodesAt = time.Time{} // unknown ones: read all the next time
	}
	c.nodes = list
}

// own marks the node that this dashboard is on. A list of nodes is made by the
// dispatcher, which marks itself.
func (c *Collector) own(n *control.Node) {
	if id := c.status.Self.ID; id != "" {
		n.Self = n.ID == id
	}
}

// nodesAgree reports that the nodes known here are as many in each state as
// the status says. A node that falls silent sends nothing that would tell.
func (c *Collector) nodesAgree() bool {
	counts := map[control.NodeState]int{}
	for i := range c.nodes {
		counts[c.nodes[i].State]++
	}
	for state, n := range c.status.Nodes {
		if counts[state] != n {
			return false
		}
	}
	return true
}

// remember adds samples of load.
func (c *Collector) remember(nodes []control.Node) {
	for i := range nodes {
		n := &nodes[i]
		h := c.hist[n.ID]
		if h == nil {
			h = &screen.History{}
			c.hist[n.ID] = h
		}
		if n.State == control.NodeLost {
			h.CPU, h.Mem = keepLast(append(h.CPU, 0)), keepLast(append(h.Mem, 0))
			continue
		}
		mem := 0.0
		if n.Load.MemTotalMB > 0 {
			mem = 100 * float64(n.Load.MemUsedMB) / float64(n.Load.MemTotalMB)
		}
		h.CPU = keepLast(append(h.CPU, float64(n.Load.CPUPercent)))
		h.Mem = keepLast(append(h.Mem, mem))
	}
}

func keepLast(v []float64) []float64 {
	if len(v) <= keepHistory+64 {
		return v
	}
	return slices.Clone(v[len(v)-keepHistory:])
}

// sample counts what finished.
func (c *Collector) sample(now time.Time) {
	c.mu.Lock()
	ended := c.ended
	c.ended = nil
	c.mu.Unlock()
	sum := 0
	for _, s := range task.States() {
		if s.Terminal() {
			sum += c.status.Tasks[s]
		}
	}
	c.rates.sample(now, sum)
	c.rates.before(ended)
}
