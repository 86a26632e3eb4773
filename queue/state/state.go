package state

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/adauldev/octaskly/queue/task"
)

// State is the state machine and its store. After each Apply the memory is
// the state at that entry; the store is the state at some earlier entry and
// follows behind. Whoever gives State its entries keeps them until Flush says
// that the store has them.
//
// Rejected: writing the store before answering. The log is synced by then, so
// nothing could be lost by not waiting, and every submit would wait for a
// second sync.
type State struct {
	log   *slog.Logger
	store Store
	cache *blockCache

	// mu guards everything below. Apply holds it for writing, reads for reading.
	mu sync.RWMutex

	position   position // position and sum after the last Apply
	batchOps   int
	batchBytes int
	open       *batch
	flushing   *batch // being committed by the writer
	spare      *batch
	durable    uint64 // index up to which the store is complete
	failed     error  // a commit failed; nothing more is applied
	broken     chan struct{}
	closing    bool
	wanted     bool        // somebody waits for the open batch to be in the store
	prompt     atomic.Bool // set while no batch shall wait for more
	work       *sync.Cond  // for the writer: open has something, is full or wanted, or closing
	room       *sync.Cond  // for Apply and Flush: a batch was taken or committed
	namedSums  map[string]uint64

	writerDone chan struct{}

	table  taskTable
	active activeTasks
	blocks blocks
	keys   keyIndex
	counts [task.Lost + 1]int
	term   uint64 // highest term seen

	classes   []*class // by slot; nil is free
	freeSlots []uint32
	slotByKey map[string]uint32
	nextClass ClassID
	ready     chan struct{}
	delayed   dueHeap
	sooner    chan struct{} // capacity 1: the first of delayed changed

	taken            map[uint64]uint32 // attempt reserved by Take
	reservedAttempts map[uint64]uint32 // highest attempt that was taken and not granted

	nodes    []task.NodeID // interned; 0 is none
	nodeSlot map[task.NodeID]uint32

	finished finished
	feed     feed
	members  members

	now int64 // of the command that is being applied
}

// Open reads the store into memory. It refuses, with task.KindCorrupt, a store that
// is not exactly what was written: it compares a sum over all records with the one
// that was stored with the last of them. It starts one goroutine, which Close ends.
// The store belongs to the State, also when Open fails.
func Open(store Store, logger *slog.Logger) (*State, error) {
	s := newState(store, logger)
	if err := s.load(); err != nil {
		_ = store.Close()
		return nil, err
	}
	go s.write()
	return s, nil
}

func newState(store Store, logger *slog.Logger) *State {
	s := &State{log: logger, store: store, cache: newBlockCache(blockCacheBytes)}
	s.broken = make(chan struct{})
	s.writerDone = make(chan struct{})
	s.ready = make(chan struct{}, 1)
	s.sooner = make(chan struct{}, 1)
	bytes, records := store.MaxBatch()
	s.batchBytes = min(batchBytes, int(bytes/3))
	s.batchOps = min(batchOps, int(records/4))
	s.work, s.room = sync.NewCond(&s.mu), sync.NewCond(&s.mu)
	s.clearMemory()
	return s
}

// clearMemory makes the empty state.
func (s *State) clearMemory() {
	s.position = position{next: 1}
	s.open, s.spare, s.flushing = newBatch(), newBatch(), nil
	s.open.position = s.position
	s.durable = 0
	s.namedSums = map[string]uint64{}
	s.table = taskTable{}
	s.active = activeTasks{at: map[uint64]int32{}}
	s.blocks = blocks{}
	s.keys = newKeyIndex()
	s.counts = [task.Lost + 1]int{}
	s.classes, s.freeSlots, s.slotByKey = nil, nil, map[string]uint32{}
	s.delayed = nil
	s.taken, s.reservedAttempts = map[uint64]uint32{}, map[uint64]uint32{}
	s.nodes, s.nodeSlot = []task.NodeID{""}, map[task.NodeID]uint32{"": 0}
	s.finished = finished{}
	s.feed.reset(0)
	s.members = newMembers()
	s.cache.clear()
}

// LogPosition is the index and term of the last entry applied.
func (s *State) LogPosition() (index, term uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.position.index, s.position.term
}

// Advance notes that the log has come to index without further commands for
// this state, so that its position is not below that of a snapshot.
func (s *State) Advance(index, term uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if index <= s.position.index {
		return
	}
	s.position.index, s.position.term = index, term
	s.open.position = s.position
	s.work.Signal()
}

// Flush returns when the store has everything applied before the call.
func (s *State) Flush(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		s.room.Broadcast()
		s.mu.Unlock()
	})
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for want := s.position.index; s.durable < want; {
		if s.failed != nil {
			return s.failed
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s.wanted = true
		s.work.Signal()
		s.room.Wait()
	}
	return nil
}

// WriteAtOnce says whether changes are written without waiting for more.
func (s *State) WriteAtOnce(on bool) {
	if s.prompt.Swap(on) != on {
		s.work.Signal()
	}
}

// Store is where the records are.
func (s *State) Store() Store { return s.store }

// Failure is why the state can not be changed any more, or nil.
func (s *State) Failure() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.failed
}

// NextID is the number that the next task will have.
func (s *State) NextID() task.ID {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return task.ID(s.position.next)
}

// Broken is closed when the store can not be written any more. The log still
// has everything that was acknowledged.
func (s *State) Broken() <-chan struct{} { return s.broken }

// Hash is a hash of everything stored; states that applied the same entries
// have the same hash.
func (s *State) Hash() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return mix(s.position.sum ^ mix(s.position.next))
}

// Close writes what is staged and closes the store. Nothing may be applied
// after it.
func (s *State) Close() error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		<-s.writerDone
		return nil
	}
	s.closing = true
	s.work.Signal()
	s.mu.Unlock()
	s.store.Closing()
	<-s.writerDone
	err := s.store.Close()
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.failed != nil {
		return s.failed
	}
	return err
}

// wake tells Ready that tasks became ready.
func (s *State) wake() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

func (s *State) slotOfNode(n task.NodeID) uint32 {
	if i, ok := s.nodeSlot[n]; ok {
		return i
	}
	i := uint32(len(s.nodes))
	s.nodes = append(s.nodes, n)
	s.nodeSlot[n] = i
	return i
}

// slotOfClass finds or makes the class with this encoding.
func (s *State) slotOfClass(c *blockClass) (uint32, error) {
	if i, ok := s.slotByKey[string(c.raw)]; ok {
		return i, nil
	}
	k := &class{key: string(c.raw), priority: c.priority, delivery: c.delivery}
	if err := unpack(c.need, &k.need); err != nil {
		return 0, err
	}
	s.nextClass++
	k.id = s.nextClass
	var i uint32
	if n := len(s.freeSlots); n > 0 {
		i = s.freeSlots[n-1]
		s.freeSlots = s.freeSlots[:n-1]
		s.classes[i] = k
	} else {
		i = uint32(len(s.classes))
		s.classes = append(s.classes, k)
	}
	s.slotByKey[k.key] = i
	return i, nil
}

func (s *State) leaveClass(slot uint32) {
	k := s.classes[slot]
	if k.tasks--; k.tasks > 0 {
		return
	}
	delete(s.slotByKey, k.key)
	s.classes[slot] = nil
	s.freeSlots = append(s.freeSlots, slot)
}

// blockOf is the block that holds a task's spec. locked says whether the
// caller holds s.mu.
func (s *State) blockOf(id uint64, locked bool) (*block, error) {
	if !locked {
		s.mu.RLock()
	}
	ref := s.blocks.find(id)
	var first uint64
	var raw []byte
	if ref != nil {
		first = ref.first
	}
	if ref == nil {
		if !locked {
			s.mu.RUnlock()
		}
		return nil, notFound(task.ID(id))
	}
	b := s.cache.get(first)
	if b == nil {
		raw, _ = s.staged(numKey{kind: kindBlock, id: first})
	}
	if !locked {
		s.mu.RUnlock()
	}
	if b != nil {
		return b, nil
	}
	if raw == nil {
		var err error
		if raw, err = s.stored(numKey{kind: kindBlock, id: first}); err != nil {
			return nil, err
		}
		if raw == nil {
			return nil, notFound(task.ID(id))
		}
	}
	b, err := parseBlock(raw)
	if err != nil {
		return nil, s.store.Damaged("the tasks from %d on: %v", first, err)
	}
	b.first = first
	s.cache.put(b)
	return b, nil
}

// itemOf is the stored form of one task.
func (s *State) itemOf(id uint64, locked bool) (*block, *blockItem, error) {
	b, err := s.blockOf(id, locked)
	if err != nil {
		return nil, nil, err
	}
	if i := id - b.first; i < uint64(len(b.items)) {
		return b, &b.items[i], nil
	}
	return nil, nil, notFound(task.ID(id))
}

func notFound(id task.ID) error {
	return task.Errorf(task.KindNotFound, "there is no task %d", id).
		WithHint("octaskly ps --all lists the tasks; finished ones are removed after a while")
}
