package sched

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// HoldAfter is how long a class is passed over before it holds a worker back,
// unless a Planner says otherwise.
const HoldAfter = 5 * time.Second

// Planner makes plans and reuses its memory between them. The zero value is
// ready. It is not safe for concurrent use.
type Planner struct {
	HoldAfter time.Duration // 0 is the constant HoldAfter; negative never holds

	candidates []candidate
	open       []*candidate // workers with a free slot: a heap, least loaded first, unless untidy
	untidy     bool
	local      []*candidate
	touched    []*candidate
	left       []int
	order      []int
	byName     map[string]*candidate
	refused    []Shape // shapes that nobody has room for
	held       int
	res        Result
}

// candidate is a worker while a plan is made.
type candidate struct {
	w       *Worker
	index   int
	free    Room
	backlog int
	runs    Shape
	mixed   bool
	held    bool
	plain   bool // a task without labels and level may run there
	n       int  // given to it from the class at hand
}

// Plan assigns ready tasks to workers. The classes should be ordered by priority,
// highest first, then by oldest task; others are ordered here. Workers that have
// neither room nor room for backlog may be left out.
func Plan(classes []Class, workers []Worker) Result {
	var p Planner
	return p.Plan(classes, workers)
}

// Plan is the function Plan with the planner's memory and settings.
func (p *Planner) Plan(classes []Class, workers []Worker) Result {
	p.reset(classes, workers)
	for _, i := range p.order {
		c := &classes[i]
		shape := ShapeOf(c.Need)
		p.left[i] = max(c.Count, 0)
		if len(p.open) > 0 && p.left[i] > 0 {
			p.left[i] -= p.place(c, shape, p.left[i])
			p.collect(i, false)
		}
		if p.left[i] == c.Count && c.Count > 0 && p.patienceOver(c) {
			p.hold(i, c, shape)
		}
	}
	p.giveBacklog(classes)
	return p.res
}

func (p *Planner) reset(classes []Class, workers []Worker) {
	p.res.Assignments, p.res.Holds = p.res.Assignments[:0], p.res.Holds[:0]
	p.refused, p.held, p.byName = p.refused[:0], 0, nil
	p.untidy = false
	p.candidates = slices.Grow(p.candidates[:0], len(workers))[:len(workers)]
	p.open = slices.Grow(p.open[:0], len(workers))
	for i := range workers {
		w := &workers[i]
		p.candidates[i] = candidate{w: w, index: i, free: w.Free, backlog: w.Backlog, runs: w.Runs, mixed: w.Mixed, plain: offersLevel("", &w.Cap)}
		if w.State == Up && w.Free.Slots > 0 {
			p.open = append(p.open, &p.candidates[i])
		}
	}
	heapify(p.open, lighter)
	p.left = slices.Grow(p.left[:0], len(classes))[:len(classes)]
	p.order = slices.Grow(p.order[:0], len(classes))[:len(classes)]
	for i := range p.order {
		p.order[i] = i
	}
	byTurn := func(a, b int) int { return turn(&classes[a], &classes[b]) }
	if !slices.IsSortedFunc(p.order, byTurn) {
		slices.SortStableFunc(p.order, byTurn)
	}
}

// turn orders classes: higher priority first, then the older head.
func turn(a, b *Class) int {
	if d := cmp.Compare(b.Priority, a.Priority); d != 0 {
		return d
	}
	return cmp.Compare(a.Oldest, b.Oldest)
}

// place gives up to n tasks of c to workers and reports how many.
func (p *Planner) place(c *Class, s Shape, n int) int {
	if p.hopeless(s) {
		return 0
	}
	if c.Need.On != "" {
		return p.placeOn(c, s, n)
	}
	if p.untidy {
		if !isPlain(&c.Need) {
			return p.placeAnywhere(c, s, n)
		}
		heapify(p.open, lighter)
		p.untidy = false
	}
	done := 0
	for done < n && len(p.open) > 0 {
		top := p.open[0]
		switch {
		case top.free.Slots <= 0 || top.held:
			p.open = popTop(p.open, lighter)
		case s.within(top.free) && top.suits(&c.Need):
			p.give(top, s)
			down(p.open, 0, lighter)
			done++
		default:
			return done + p.placeAnywhere(c, s, n-done)
		}
	}
	return done
}

// placeAnywhere is place when the least loaded worker does not fit: it looks at
// every worker once.
func (p *Planner) placeAnywhere(c *Class, s Shape, n int) int {
	p.local = p.local[:0]
	room := false
	for _, t := range p.open {
		if t.held || !s.within(t.free) {
			continue
		}
		room = true
		if t.suits(&c.Need) {
			p.local = append(p.local, t)
		}
	}
	if !room && len(p.refused) < 8 {
		p.refused = append(p.refused, s)
	}
	if len(p.local) == 0 {
		return 0
	}
	heapify(p.local, lighter)
	done := 0
	for done < n && len(p.local) > 0 {
		if top := p.local[0]; s.within(top.free) {
			p.give(top, s)
			down(p.local, 0, lighter)
			done++
		} else {
			p.local = popTop(p.local, lighter)
		}
	}
	p.untidy = true
	return done
}

// placeOn is place for tasks that name their node.
func (p *Planner) placeOn(c *Class, s Shape, n int) int {
	t := p.named(c.Need.On)
	if t == nil || t.held || t.w.State != Up || !t.suits(&c.Need) {
		return 0
	}
	done := 0
	for done < n && s.within(t.free) {
		p.give(t, s)
		done++
	}
	p.untidy = p.untidy || done > 0
	return done
}

// named finds a worker by id or name; an id wins over a name that looks like it.
func (p *Planner) named(on string) *candidate {
	if p.byName == nil {
		p.byName = make(map[string]*candidate, 2*len(p.candidates))
		for i := range p.candidates {
			t := &p.candidates[i]
			if old := p.byName[t.w.Name]; old == nil || old.w.State != Up && t.w.State == Up {
				p.byName[t.w.Name] = t
			}
		}
		for i := range p.candidates {
			p.byName[string(p.candidates[i].w.ID)] = &p.candidates[i]
		}
	}
	return p.byName[on]
}

// hopeless reports whether a shape that asks no more was already refused by
// everybody; room only shrinks while a plan is made.
func (p *Planner) hopeless(s Shape) bool {
	for _, r := range p.refused {
		if s.covers(r) {
			return true
		}
	}
	return false
}

func (p *Planner) give(t *candidate, s Shape) {
	t.free.take(s)
	t.note(s)
	if t.n == 0 {
		p.touched = append(p.touched, t)
	}
	t.n++
}

// note keeps runs and mixed right when a task of shape s is assigned.
func (t *candidate) note(s Shape) {
	if t.runs == (Shape{}) {
		t.runs = s
	}
	t.mixed = t.mixed || t.runs != s
}

// collect turns what was given from class i into assignments.
func (p *Planner) collect(i int, backlog bool) {
	for _, t := range p.touched {
		p.res.Assignments = append(p.res.Assignments, Assignment{Class: i, Worker: t.index, N: t.n, Backlog: backlog})
		t.n = 0
	}
	p.touched = p.touched[:0]
}

func (p *Planner) patienceOver(c *Class) bool {
	after := p.HoldAfter
	if after == 0 {
		after = HoldAfter
	}
	return after > 0 && c.Waiting >= after && p.held < max(1, len(p.candidates)/4)
}

// hold keeps the worker that lacks least for class c from everything behind it.
// What is held only gains room, so the choice settles and the class gets its turn.
func (p *Planner) hold(i int, c *Class, s Shape) {
	var best *candidate
	least := int64(math.MaxInt64)
	for k := range p.candidates {
		t := &p.candidates[k]
		if t.held || !couldRun(&c.Need, s, t.w) {
			continue
		}
		if l := lacks(s, t.free); l < least || l == least && byName(t, best) < 0 {
			best, least = t, l
		}
	}
	if best == nil {
		return
	}
	best.held = true
	p.held++
	p.res.Holds = append(p.res.Holds, Hold{Class: i, Worker: best.index})
}

// lacks is the largest share of a need that is missing, in millionths.
func lacks(s Shape, r Room) int64 {
	worst := int64(0)
	share := func(want, have int64) {
		if want > have && want > 0 {
			worst = max(worst, int64(float64(want-max(have, 0))/float64(want)*1e6))
		}
	}
	share(1, int64(r.Slots))
	share(int64(s.CPU), int64(r.CPU))
	share(s.MemoryMB, r.MemoryMB)
	share(s.DiskMB, r.DiskMB)
	share(int64(s.GPUs), int64(r.GPUs))
	return worst
}

func isPlain(n *task.Need) bool { return n.On == "" && n.Sandbox == "" && len(n.Labels) == 0 }

func (t *candidate) suits(n *task.Need) bool {
	if isPlain(n) {
		return t.plain
	}
	return suits(n, t.w)
}
