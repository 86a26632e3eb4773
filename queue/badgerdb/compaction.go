package badgerdb

import (
	"sync"
	_ "unsafe" // for go:linkname

	badger "github.com/dgraph-io/badger/v4"
)

// Badger has these two, and uses them around operations of its own, but does
// not export them. Without them a compaction that began while the disk was
// being filled ends the process (see space). TestPauseCompaction holds them.
//
//go:linkname stopCompactions github.com/dgraph-io/badger/v4.(*DB).stopCompactions
func stopCompactions(*badger.DB)

//go:linkname startCompactions github.com/dgraph-io/badger/v4.(*DB).startCompactions
func startCompactions(*badger.DB)

// Compactions can pause what a store does by itself in the background.
type Compactions struct {
	mu     sync.Mutex
	db     *badger.DB
	paused bool
	closed bool
}

// NewCompactions controls those of db.
func NewCompactions(db *badger.DB) *Compactions { return &Compactions{db: db} }

// pausedTables is how many new tables may pile up while compactions pause; at
// eight Badger would make writers wait.
const pausedTables = 6

// Pause returns when no compaction runs any more. While they pause, the store
// can take about pausedTables memory tables of writes.
func (c *Compactions) Pause() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.paused && !c.closed {
		c.paused = true
		stopCompactions(c.db)
	}
}

// Resume takes Pause back.
func (c *Compactions) Resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paused && !c.closed {
		c.paused = false
		startCompactions(c.db)
	}
}

// Paused reports whether they pause.
func (c *Compactions) Paused() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.paused
}

// Crowded reports whether they can not pause for much longer.
func (c *Compactions) Crowded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	levels := c.db.Levels()
	return len(levels) > 0 && levels[0].NumTables >= pausedTables
}

// Close is called before the store is closed. Compactions that pause go on
// only if writers could be waiting for them.
func (c *Compactions) Close() {
	if c.Crowded() {
		c.Resume()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
}
