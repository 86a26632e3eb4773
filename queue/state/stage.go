package state

import (
	"encoding/binary"
	"time"

	"github.com/cespare/xxhash/v2"
)

// What apply changes is staged in a batch; the writer takes the batch and
// commits it in one transaction while the next one fills. A record changed
// twice within a batch is written once. Reads look at the batches first.

// Bounds on a batch, checked between commands. A command adds less than 2 MiB
// and less than purgeBudget+2,000 records, so that a batch stays below what
// one Badger transaction holds (2.4 MiB, 25,000 records with a 16 MiB table).
const (
	batchOps   = 4096
	batchBytes = 768 << 10
)

type op struct {
	num  numKey
	name string // instead of num if not empty; kind and name
	off  int
	n    int // length of the value; -1 deletes
}

type position struct {
	index, term uint64 // of the last command applied
	next        uint64 // next task number
	sum         uint64 // over all records
}

type batch struct {
	position position
	ops      []op
	nums     map[numKey]int32
	named    map[string]int32
	arena    []byte
}

func newBatch() *batch {
	return &batch{nums: map[numKey]int32{}, named: map[string]int32{}}
}

func (b *batch) reset() {
	if cap(b.arena) > 4*batchBytes {
		b.arena = nil
	}
	b.ops, b.arena = b.ops[:0], b.arena[:0]
	clear(b.nums)
	clear(b.named)
}

func (s *State) full() bool {
	return len(s.open.ops) >= s.batchOps || len(s.open.arena) >= s.batchBytes
}

func (b *batch) op(key numKey) *op {
	if i, ok := b.nums[key]; ok {
		return &b.ops[i]
	}
	b.nums[key] = int32(len(b.ops))
	b.ops = append(b.ops, op{num: key})
	return &b.ops[len(b.ops)-1]
}

func (b *batch) opNamed(name string) *op {
	if i, ok := b.named[name]; ok {
		return &b.ops[i]
	}
	b.named[name] = int32(len(b.ops))
	b.ops = append(b.ops, op{name: name})
	return &b.ops[len(b.ops)-1]
}

func (b *batch) get(key numKey) (val []byte, found bool) {
	i, ok := b.nums[key]
	if !ok {
		return nil, false
	}
	o := b.ops[i]
	if o.n < 0 {
		return nil, true
	}
	return b.arena[o.off : o.off+o.n], true
}

func (t position) append(b []byte) []byte {
	for _, v := range []uint64{t.index, t.term, t.next, t.sum} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return b
}

func parsePosition(b []byte) (position, error) {
	if len(b) != 32 {
		return position{}, errShort
	}
	u := func(i int) uint64 { return binary.BigEndian.Uint64(b[8*i:]) }
	return position{u(0), u(1), u(2), u(3)}, nil
}

// sumNum is what a record under a number key adds to the sum.
func sumNum(k numKey, val []byte) uint64 {
	return mix(xxhash.Sum64(val) ^ mix(k.id<<8^uint64(k.sub)<<40^uint64(k.kind)))
}

// sumNamed is what any other record adds to the sum.
func sumNamed(name string, val []byte) uint64 {
	return mix(xxhash.Sum64(val) ^ mix(xxhash.Sum64String(name)))
}

// put stages a number record whose value is b.arena[from:], and returns what
// it adds to the sum. The caller takes away what the old value added.
func (s *State) put(key numKey, from int) uint64 {
	b := s.open
	o := b.op(key)
	o.off, o.n = from, len(b.arena)-from
	h := sumNum(key, b.arena[from:])
	s.position.sum += h
	return h
}

func (s *State) del(key numKey) { s.open.op(key).n = -1 }

// putNamed stages a record under another key; nil deletes it.
func (s *State) putNamed(name string, val []byte) {
	s.position.sum -= s.namedSums[name]
	o := s.open.opNamed(name)
	if val == nil {
		o.n = -1
		delete(s.namedSums, name)
		return
	}
	o.off, o.n = len(s.open.arena), len(val)
	s.open.arena = append(s.open.arena, val...)
	h := sumNamed(name, val)
	s.namedSums[name] = h
	s.position.sum += h
}

// staged looks a number record up in the batches; found with a nil value means
// deleted. The value is a copy. s.mu is held.
func (s *State) staged(key numKey) (val []byte, found bool) {
	for _, b := range []*batch{s.open, s.flushing} {
		if b == nil {
			continue
		}
		if v, ok := b.get(key); ok {
			if v == nil {
				return nil, true
			}
			return append([]byte{}, v...), true
		}
	}
	return nil, false
}

// stored looks a number record up in the store; nil if it is not there.
func (s *State) stored(key numKey) ([]byte, error) {
	var buf [16]byte
	return s.store.Get(key.append(buf[:0]))
}

// lookup is staged or stored; s.mu is held.
func (s *State) lookup(key numKey) ([]byte, error) {
	if v, ok := s.staged(key); ok {
		return v, nil
	}
	return s.stored(key)
}

// read is lookup for those who do not hold s.mu.
func (s *State) read(key numKey) ([]byte, error) {
	s.mu.RLock()
	v, ok := s.staged(key)
	s.mu.RUnlock()
	if ok {
		return v, nil
	}
	return s.stored(key)
}

// write is the writer goroutine: it commits batch after batch until the state
// is closed and everything is written, or a commit fails.
func (s *State) write() {
	defer close(s.writerDone)
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for s.open.position.index == s.durable && !s.closing {
			s.work.Wait()
		}
		s.linger()
		if s.open.position.index == s.durable {
			if s.closing {
				return
			}
			continue // replaced meanwhile by a received state
		}
		b := s.open
		s.open, s.spare = s.spare, nil
		s.open.position = b.position
		s.flushing = b
		s.room.Broadcast()
		s.mu.Unlock()
		err := s.commit(b)
		s.mu.Lock()
		if err != nil {
			s.failed = s.store.Damaged("a write failed: %v", err)
			s.log.Error("queue: the state can not be written any more", "err", err)
			close(s.broken)
			s.room.Broadcast()
			return
		}
		s.flushing, s.durable = nil, b.position.index
		b.reset()
		s.spare = b
		s.room.Broadcast()
	}
}

// lag is how long the first change of a batch waits for more: a task that takes
// less is written once instead of three times, and the log, which is waited
// for, has the disk for itself. The log replays what a crash takes away.
const lag = 20 * time.Millisecond

// linger returns when the open batch has waited for lag, is full, or is wanted
// by Flush or Close, and at once while there is little space left: who takes the
// rest of the disk shall find nothing unwritten.
func (s *State) linger() {
	var due bool
	t := time.AfterFunc(lag, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		due = true
		s.work.Signal()
	})
	defer t.Stop()
	for !due && !s.wanted && !s.closing && !s.full() && !s.prompt.Load() {
		s.work.Wait()
	}
	s.wanted = false
}

func (s *State) commit(b *batch) error {
	return s.store.Commit(func(w Writer) error {
		keys := make([]byte, 0, 16*len(b.ops)+16)
		for i := range b.ops {
			o := &b.ops[i]
			from := len(keys)
			if o.name != "" {
				keys = append(keys, o.name...)
			} else {
				keys = o.num.append(keys)
			}
			k := keys[from:len(keys):len(keys)]
			var err error
			if o.n < 0 {
				err = w.Delete(k)
			} else {
				err = w.Set(k, b.arena[o.off:o.off+o.n])
			}
			if err != nil {
				return err
			}
		}
		return w.Set([]byte{kindPosition}, b.position.append(nil))
	})
}
