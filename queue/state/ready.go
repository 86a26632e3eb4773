package state

import (
	"container/heap"

	"github.com/adauldev/octaskly/queue/task"
)

// run is a range of task numbers, both ends included.
type run struct{ from, to uint64 }

// class groups tasks that ask for the same. Its ready set is kept as ranges
// of numbers in rising order plus a heap of those that came back; both may
// hold numbers that are not ready any more, which the readyBit tells.
type class struct {
	id       ClassID
	key      string
	need     task.Need
	priority uint8
	delivery task.Delivery

	count    int // ready and not taken
	tasks    int // not finished; the class goes with the last
	runs     []run
	head     int // runs before it are used up
	returned idHeap
}

// appendTail adds a number that is above all that were added so before.
func (c *class) appendTail(id uint64) {
	if n := len(c.runs); n > c.head && c.runs[n-1].to+1 == id {
		c.runs[n-1].to = id
		return
	}
	c.runs = append(c.runs, run{id, id})
}

// next is the lowest number in the set for which ok holds; others before it
// are thrown away. With pop it is removed.
func (c *class) next(ok func(uint64) bool, pop bool) (uint64, bool) {
	for {
		back := len(c.returned) > 0
		front := c.head < len(c.runs)
		switch {
		case !back && !front:
			c.runs, c.head = c.runs[:0], 0
			return 0, false
		case back && (!front || c.returned[0] <= c.runs[c.head].from):
			id := c.returned[0]
			good := ok(id)
			if !good || pop {
				heap.Pop(&c.returned)
			}
			if good {
				return id, true
			}
		default:
			id := c.runs[c.head].from
			good := ok(id)
			if !good || pop {
				c.dropFront()
			}
			if good {
				return id, true
			}
		}
	}
}

func (c *class) dropFront() {
	r := &c.runs[c.head]
	if r.from++; r.from <= r.to {
		return
	}
	c.head++
	if c.head > 1024 && c.head*2 > len(c.runs) {
		c.runs = append(c.runs[:0:0], c.runs[c.head:]...)
		c.head = 0
	}
}

// before counts the ready numbers below id.
func (c *class) before(id uint64, ok func(uint64) bool) int {
	n := 0
	for _, r := range c.runs[c.head:] {
		for x := r.from; x <= r.to && x < id; x++ {
			if ok(x) {
				n++
			}
		}
	}
	for _, x := range c.returned {
		if x < id && ok(x) {
			n++
		}
	}
	return n
}

type idHeap []uint64 //nolint:recvcheck // heap.Interface wants both

func (h idHeap) Len() int           { return len(h) }
func (h idHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h idHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *idHeap) Push(x any)        { *h = append(*h, x.(uint64)) }
func (h *idHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// due is a task that becomes ready at a time.
type due struct {
	at int64
	id uint64
}

type dueHeap []due //nolint:recvcheck // heap.Interface wants both

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].at < h[j].at }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(x any)        { *h = append(*h, x.(due)) }
func (h *dueHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
