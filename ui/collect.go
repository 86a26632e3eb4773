package ui

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// Limits of what the screen keeps.
const (
	keepEvents  = 2000
	keepHistory = 180 // samples of a node
	allNodes    = 5 * time.Second
	lateAfter   = 500 * time.Millisecond  // without an answer the screen says that it waits
	goneAfter   = 1500 * time.Millisecond // after the first missed answer: lost
	askStatus   = 2 * time.Second         // how long a lost cluster is waited for before it is asked anew
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
	link      scene.Link
	began     time.Time      // when the round began that goes on; zero if none does
	asked     time.Time      // when the question was asked that is not answered yet; zero if none is
	answered  time.Time      // when the cluster last answered
	missed    time.Time      // when the first question without an answer was asked
	shown     scene.Snapshot // the last one that was made

	// Only Collect touches the rest.
	version  uint64
	status   control.Status
	nodes    []control.Node
	nodesAt  time.Time
	rates    rates
	counted  string // the dispatcher whose counters rates are of
	hist     map[task.NodeID]*scene.History
	last     scene.Snapshot
	lastWant scene.Want
	listedAt time.Time
	find     *search
}

// NewCollector asks ctl; now is the clock, nil for time.Now.
func NewCollector(ctl control.Control, now func() time.Time) *Collector {
	if now == nil {
		now = time.Now
	}
	return &Collector{ctl: ctl, now: now, hist: map[task.NodeID]*scene.History{}, fresh: map[task.NodeID]control.Node{}}
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
			if e.To.Terminal() && e.To != task.Cancelled {
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
func (c *Collector) Collect(ctx context.Context, want scene.Want) *scene.Snapshot {
	c.asking.Lock()
	defer c.asking.Unlock()
	st, err := c.askTheStatus(ctx)
	now := c.now()
	s := c.last
	if err == nil {
		c.status = st
		c.askNodes(ctx, now)
		c.askTasks(ctx, want, now, &s)
		c.askOne(ctx, want, &s)
		c.sample(now)
	}
	s.Now, s.Status = now, c.status
	s.Nodes, s.Names = c.nodes, c.last.Names
	if c.changedNames() {
		s.Names = namesOf(c.nodes)
	}
	s.Rates = c.rates.all
	s.History = scene.History{}
	if h := c.hist[want.Node]; h != nil {
		s.History = scene.History{Node: want.Node, CPU: slices.Clone(h.CPU), Mem: slices.Clone(h.Mem)}
	}
	c.version++
	s.Version = c.version
	c.mu.Lock()
	s.Link = c.link
	s.Events = slices.Clip(c.events)
	c.told = len(c.events)
	c.shown, c.began = s, time.Time{}
	c.mu.Unlock()
	c.last, c.lastWant = s, want
	markLost(&s)
	return &s
}

// Overdue is the last snapshot with the time that it is now, while Collect
// waits longer than usual for an answer; nil while it does not.
func (c *Collector) Overdue() *scene.Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.began.IsZero() || now.Sub(c.began) < lateAfter {
		return nil
	}
	if !c.asked.IsZero() && now.Sub(c.asked) >= lateAfter {
		c.miss(c.asked, now, nil)
	}
	s := c.shown
	s.Now, s.Link = now, c.link
	markLost(&s)
	return &s
}

// askTheStatus asks how the cluster is and keeps how well it is heard. A node
// that has lost its dispatcher answers by itself and knows of no tasks and no
// other nodes: that is no answer, and what was known before stays.
func (c *Collector) askTheStatus(ctx context.Context) (control.Status, error) {
	c.mu.Lock()
	c.began = c.now()
	c.asked = c.began
	asked, patient := c.asked, c.link.State == scene.Live || c.link.Tries%2 == 0
	c.mu.Unlock()
	if !patient { // a question to a connection that has died hides that there is a new one
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, askStatus)
		defer stop()
	}
	st, err := c.ctl.Status(ctx)
	if err == nil && c.orphaned(st) {
		c.status.Self, err = st.Self, task.Errorf(task.KindNoDispatcher, "%s does not answer", c.status.Dispatcher)
	}
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = time.Time{}
	if err != nil {
		c.miss(asked, now, err)
		return st, err
	}
	c.answered, c.missed = now, time.Time{}
	if c.link.State != scene.Live {
		c.link = scene.Link{State: scene.Live, Since: now}
	}
	return st, nil
}

// orphaned reports that a status is that of a node which has lost the
// dispatcher that it had.
func (c *Collector) orphaned(st control.Status) bool {
	had := &c.status
	return st.Dispatcher == "" && had.Dispatcher != "" && had.Dispatcher != st.Self.Name && st.Cluster == had.Cluster && st.Self.ID == had.Self.ID
}

// miss notes that a question asked at a time has no answer. The caller holds mu.
func (c *Collector) miss(asked, now time.Time, err error) {
	if c.missed.IsZero() {
		c.missed = asked
		since := c.answered
		if since.IsZero() {
			since = asked
		}
		c.link = scene.Link{State: scene.Waiting, Since: since}
	}
	if now.Sub(c.missed) >= goneAfter {
		c.link.State = scene.Gone
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		c.link.Tries++
		c.link.Err = err.Error()
	}
}

// markLost shows the dispatcher of a cluster that is not heard as lost: nobody
// else could have told.
func markLost(s *scene.Snapshot) {
	if s.Link.State != scene.Gone || s.Status.Dispatcher == "" {
		return
	}
	for i := range s.Nodes {
		n := s.Nodes[i]
		if n.Name != s.Status.Dispatcher || n.State == control.NodeForeign || n.State == control.NodeAsks {
			continue
		}
		counts := maps.Clone(s.Status.Nodes)
		if counts[n.State] > 0 {
			counts[n.State]--
			counts[control.NodeLost]++
			s.Status.Nodes = counts
		}
		n.State = control.NodeLost
		s.Nodes = slices.Clone(s.Nodes)
		s.Nodes[i] = n
		return
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
			h = &scene.History{}
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
		if s.Terminal() && s != task.Cancelled { // a cancel is no throughput
			sum += c.status.Tasks[s]
		}
	}
	if c.status.Dispatcher != c.counted { // another one's counters: nothing was watched between
		c.counted = c.status.Dispatcher
		c.rates.miss()
	}
	c.rates.sample(now, sum)
	c.rates.before(ended)
}
