package sched

import "github.com/adauldev/octaskly/queue/task"

// giveBacklog hands out what could not be placed as backlog. A worker takes
// backlog only of the shape that it runs already, so that whatever ends there
// makes room for it. Whatever is left of a class afterwards closes every worker
// that could run it: nothing behind may queue up in front of it there.
func (p *Planner) giveBacklog(classes []Class) {
	pool := p.open[:0]
	for k := range p.candidates {
		if t := &p.candidates[k]; t.takesBacklog() {
			pool = append(pool, t)
		}
	}
	for _, i := range p.order {
		if len(pool) == 0 {
			return
		}
		if p.left[i] == 0 {
			continue
		}
		c := &classes[i]
		s := ShapeOf(c.Need)
		if c.Delivery == task.AtLeastOnce && s.GPUs == 0 {
			p.left[i] -= p.stack(c, s, pool, p.left[i])
			p.collect(i, true)
		}
		if p.left[i] > 0 {
			pool = without(pool, func(t *candidate) bool { return couldRun(&c.Need, s, t.w) })
		}
	}
}

func (t *candidate) takesBacklog() bool {
	return t.w.State == Up && !t.held && !t.mixed && t.backlog < t.w.BacklogMax && t.runs != (Shape{})
}

// stack gives up to n tasks of c as backlog, evenly, and reports how many.
func (p *Planner) stack(c *Class, s Shape, pool []*candidate, n int) int {
	p.local = p.local[:0]
	for _, t := range pool {
		if t.runs == s && t.takesBacklog() && t.suits(&c.Need) && isNode(c.Need.On, t.w) {
			p.local = append(p.local, t)
		}
	}
	heapify(p.local, shorter)
	done := 0
	for done < n && len(p.local) > 0 {
		top := p.local[0]
		if top.backlog >= top.w.BacklogMax {
			p.local = popTop(p.local, shorter)
			continue
		}
		if top.n == 0 {
			p.touched = append(p.touched, top)
		}
		top.n++
		top.backlog++
		done++
		down(p.local, 0, shorter)
	}
	return done
}

// shorter reports whether a's backlog is less filled than b's.
func shorter(a, b *candidate) bool {
	x, y := int64(a.backlog)*int64(b.w.BacklogMax), int64(b.backlog)*int64(a.w.BacklogMax)
	if x != y {
		return x < y
	}
	return byName(a, b) < 0
}

func without(pool []*candidate, drop func(*candidate) bool) []*candidate {
	keep := pool[:0]
	for _, t := range pool {
		if !drop(t) {
			keep = append(keep, t)
		}
	}
	return keep
}
