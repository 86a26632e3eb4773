package state

import "github.com/adauldev/octaskly/queue/task"

const (
	pageBits = 10
	pageSize = 1 << pageBits

	stateMask = 0x0f
	readyBit  = 0x10 // it counts in its class's ready set
	takenBit  = 0x20 // reserved by Take
)

// Retry terms of a task in 16 bits, so that a failure rarely reads the spec.
const (
	retryCount  = 0x3fff
	retryFixed  = 0x4000
	retryOnList = 0x8000 // the spec has a RetryOn list: read it
)

// page is what is kept in memory of 1,024 consecutive tasks: 15 bytes each,
// no pointers. A state 0 means that the task does not exist (any more).
type page struct {
	status [pageSize]uint8
	retry  [pageSize]uint16
	class  [pageSize]uint32  // slot of its class while it is not finished
	sum    *[pageSize]uint64 // hash of its state record; nil: none here has one
	live   int               // tasks that exist
}

// taskTable finds the page of a task.
type taskTable struct {
	base  uint64 // page number of pages[0]
	pages []*page
}

func (t *taskTable) page(id uint64) *page {
	n := id >> pageBits
	if n < t.base || n-t.base >= uint64(len(t.pages)) {
		return nil
	}
	return t.pages[n-t.base]
}

// grow makes the page of id, which must not lie before the first one.
func (t *taskTable) grow(id uint64) *page {
	n := id >> pageBits
	if len(t.pages) == 0 {
		t.base = n
	}
	for n-t.base >= uint64(len(t.pages)) {
		t.pages = append(t.pages, nil)
	}
	p := t.pages[n-t.base]
	if p == nil {
		p = &page{}
		t.pages[n-t.base] = p
	}
	return p
}

func (t *taskTable) state(id uint64) task.State {
	if p := t.page(id); p != nil {
		return task.State(p.status[id%pageSize] & stateMask)
	}
	return 0
}

func (t *taskTable) flag(id uint64, bit uint8) bool {
	p := t.page(id)
	return p != nil && p.status[id%pageSize]&bit != 0
}

// drop forgets a task that was entered, and its page with the last of its tasks.
func (t *taskTable) drop(id uint64) {
	p := t.page(id)
	p.status[id%pageSize] = 0
	if p.live--; p.live > 0 || id>>pageBits == t.base+uint64(len(t.pages))-1 {
		return // the last page is kept: it is being filled
	}
	t.pages[id>>pageBits-t.base] = nil
	for len(t.pages) > 1 && t.pages[0] == nil {
		t.pages = t.pages[1:]
		t.base++
	}
}

func (p *page) setSum(i uint64, v uint64) (old uint64) {
	if p.sum == nil {
		if v == 0 {
			return 0
		}
		p.sum = new([pageSize]uint64)
	}
	old, p.sum[i] = p.sum[i], v
	return old
}

// activeTask is what is kept in memory of a task that has been granted at least once
// (or taken a step that its block does not tell) and is not finished.
type activeTask struct {
	id        uint64
	term      uint64 // last fence granted
	attempt   uint32
	node      uint32 // holder while held: index in nodes
	granted   int64
	started   int64 // volatile
	notBefore int64
	failures  uint32 // attempts of the person's budget that are spent
	history   uint32 // attempts stored under keys of their own
	crashes   uint8
	cancel    bool
}

// activeTasks holds them in one slice without pointers.
type activeTasks struct {
	at   map[uint64]int32
	recs []activeTask
	free []int32
}

func (l *activeTasks) get(id uint64) *activeTask {
	if i, ok := l.at[id]; ok {
		return &l.recs[i]
	}
	return nil
}

// add makes a record; pointers got before are void.
func (l *activeTasks) add(id uint64) *activeTask {
	var i int32
	if n := len(l.free); n > 0 {
		i = l.free[n-1]
		l.free = l.free[:n-1]
		l.recs[i] = activeTask{}
	} else {
		i = int32(len(l.recs))
		l.recs = append(l.recs, activeTask{})
	}
	l.at[id] = i
	l.recs[i].id = id
	return &l.recs[i]
}

func (l *activeTasks) drop(id uint64) {
	if i, ok := l.at[id]; ok {
		delete(l.at, id)
		l.recs[i].id = 0
		l.free = append(l.free, i)
	}
}

// blockRef is where tasks first…first+n-1 were submitted together.
type blockRef struct {
	first uint64
	sum   uint64
	n     uint32
	left  uint32 // tasks of it that still exist; 0: the block is gone
}

// blocks are the blocks in order.
type blocks struct {
	refs []blockRef
	dead int
}

func (b *blocks) find(id uint64) *blockRef {
	lo, hi := 0, len(b.refs)
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		if b.refs[m].first <= id {
			lo = m + 1
		} else {
			hi = m
		}
	}
	if lo == 0 {
		return nil
	}
	r := &b.refs[lo-1]
	if r.left == 0 || id-r.first >= uint64(r.n) {
		return nil
	}
	return r
}

// bury is called after a block's left became 0.
func (b *blocks) bury() {
	if b.dead++; b.dead < 64 || b.dead*2 < len(b.refs) {
		return
	}
	keep := make([]blockRef, 0, len(b.refs)-b.dead)
	for _, r := range b.refs {
		if r.left > 0 {
			keep = append(keep, r)
		}
	}
	b.refs, b.dead = keep, 0
}
