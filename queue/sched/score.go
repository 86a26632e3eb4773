package sched

import "cmp"

// lighter reports whether a should get the next task before b: the larger share
// of its CPUs free, then the lower measured load, then the name.
func lighter(a, b *candidate) bool {
	// a.free/a.cap > b.free/b.cap without dividing
	if d := cmp.Compare(int64(b.free.CPU)*int64(a.w.Cap.CPU), int64(a.free.CPU)*int64(b.w.Cap.CPU)); d != 0 {
		return d < 0
	}
	if d := cmp.Compare(measured(a), measured(b)); d != 0 {
		return d < 0
	}
	return byName(a, b) < 0
}

// measured is a worker's own CPU load in whole per cent. Workers say what they
// like; nonsense counts as fully loaded.
func measured(t *candidate) int {
	if c := t.w.Load.CPUPercent; c >= 0 && c <= 100 {
		return int(c)
	}
	return 100
}

func byName(a, b *candidate) int {
	if d := cmp.Compare(a.w.Name, b.w.Name); d != 0 {
		return d
	}
	if d := cmp.Compare(a.w.ID, b.w.ID); d != 0 {
		return d
	}
	return cmp.Compare(a.index, b.index)
}

// heapify makes h a heap whose first element comes before all others.
func heapify(h []*candidate, before func(a, b *candidate) bool) {
	for i := len(h)/2 - 1; i >= 0; i-- {
		down(h, i, before)
	}
}

func down(h []*candidate, i int, before func(a, b *candidate) bool) {
	for {
		c := 2*i + 1
		if c >= len(h) {
			return
		}
		if c+1 < len(h) && before(h[c+1], h[c]) {
			c++
		}
		if !before(h[c], h[i]) {
			return
		}
		h[i], h[c] = h[c], h[i]
		i = c
	}
}

func popTop(h []*candidate, before func(a, b *candidate) bool) []*candidate {
	last := len(h) - 1
	h[0] = h[last]
	h = h[:last]
	down(h, 0, before)
	return h
}
