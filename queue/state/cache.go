package state

import "sync"

const blockCacheBytes = 8 << 20

// blockCache keeps blocks that were submitted or read lately, within a number
// of bytes; the oldest go first.
type blockCache struct {
	mu    sync.Mutex
	limit int
	size  int
	at    map[uint64]*block
	order []uint64 // as put
	head  int
}

func newBlockCache(limit int) *blockCache {
	return &blockCache{limit: limit, at: map[uint64]*block{}}
}

func (c *blockCache) get(first uint64) *block {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at[first]
}

func (b *block) cost() int { return b.size + 96*len(b.items) + 160 }

func (c *blockCache) put(b *block) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.at[b.first]; ok {
		return
	}
	c.at[b.first] = b
	c.order = append(c.order, b.first)
	c.size += b.cost()
	for c.size > c.limit && c.head < len(c.order)-1 {
		c.evict()
	}
	if c.head > 1024 && c.head*2 > len(c.order) {
		c.order = append(c.order[:0:0], c.order[c.head:]...)
		c.head = 0
	}
}

func (c *blockCache) evict() {
	first := c.order[c.head]
	c.head++
	if b, ok := c.at[first]; ok {
		c.size -= b.cost()
		delete(c.at, first)
	}
}

func (c *blockCache) drop(first uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b, ok := c.at[first]; ok {
		c.size -= b.cost()
		delete(c.at, first)
	}
}

func (c *blockCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.order, c.head, c.size = map[uint64]*block{}, nil, 0, 0
}
