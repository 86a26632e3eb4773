package raftq

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"
	"sync/atomic"
	"time"

	badger "github.com/dgraph-io/badger/v4"
	"github.com/hashicorp/raft"
)

// Keys of the raft store.
//
//	l index   a log entry: CRC-32C, term, type, time, data, extensions
//	k name    raft's own values (term, vote)
//	p         the latest snapshot
const (
	kindLog    = 'l'
	kindStable = 'k'
	kindSnap   = 'p'
)

// txnBytes bounds one transaction; it is half of what Badger takes at once.
func (s *store) txnBytes() int { return int(min(s.db.MaxBatchSize()/2, 1<<20)) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// store keeps raft's log and values in one Badger.
//
// It reports the end of the log to the guard after every synced write and
// before raft hears of it, so that a log that loses its end is recognised.
type store struct {
	db    *badger.DB
	guard *guard
	added atomic.Int64 // bytes appended since resetAdded

	mu          sync.RWMutex
	first, last uint64 // 0, 0: empty
	buf         []byte // used by StoreLogs only, which raft calls from one goroutine
}

var (
	_ raft.LogStore    = (*store)(nil)
	_ raft.StableStore = (*store)(nil)
)

func logKey(index uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{kindLog}, index)
}

func (s *store) FirstIndex() (uint64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.first, nil
}

func (s *store) LastIndex() (uint64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.last, nil
}

func appendLog(b []byte, l *raft.Log) []byte {
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.AppendUvarint(b, l.Term)
	b = append(b, byte(l.Type))
	t := int64(0)
	if !l.AppendedAt.IsZero() {
		t = l.AppendedAt.UnixNano()
	}
	b = binary.AppendVarint(b, t)
	b = binary.AppendUvarint(b, uint64(len(l.Data)))
	b = append(b, l.Data...)
	b = append(b, l.Extensions...)
	binary.BigEndian.PutUint32(b[at:], logSum(l.Index, b[at+4:]))
	return b
}

func logSum(index uint64, body []byte) uint32 {
	var k [8]byte
	binary.BigEndian.PutUint64(k[:], index)
	return crc32.Update(crc32.Checksum(k[:], castagnoli), castagnoli, body)
}

var errEntry = errors.New("a log entry is damaged")

// parseLog reads an entry; the result does not refer to v.
func parseLog(index uint64, v []byte, l *raft.Log) error {
	if len(v) < 4 || binary.BigEndian.Uint32(v) != logSum(index, v[4:]) {
		return fmt.Errorf("%w: %d", errEntry, index)
	}
	b := v[4:]
	term, n := binary.Uvarint(b)
	if n <= 0 || len(b) <= n {
		return errEntry
	}
	kind := raft.LogType(b[n])
	b = b[n+1:]
	at, n := binary.Varint(b)
	if n <= 0 {
		return errEntry
	}
	b = b[n:]
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return errEntry
	}
	b = b[n:]
	*l = raft.Log{Index: index, Term: term, Type: kind, Data: append([]byte{}, b[:size]...)}
	if at != 0 {
		l.AppendedAt = time.Unix(0, at)
	}
	if ext := b[size:]; len(ext) > 0 {
		l.Extensions = append([]byte{}, ext...)
	}
	return nil
}

func (s *store) GetLog(index uint64, l *raft.Log) error {
	return s.db.View(func(tx *badger.Txn) error {
		it, err := tx.Get(logKey(index))
		if errors.Is(err, badger.ErrKeyNotFound) {
			return raft.ErrLogNotFound
		}
		if err != nil {
			return err
		}
		return it.Value(func(v []byte) error { return parseLog(index, v, l) })
	})
}

func (s *store) StoreLog(l *raft.Log) error { return s.StoreLogs([]*raft.Log{l}) }

// StoreLogs writes entries in order, in as few transactions as fit. After an
// error some of the first ones may be stored.
func (s *store) StoreLogs(logs []*raft.Log) error {
	for len(logs) > 0 {
		n, err := s.storeSome(logs)
		if err != nil {
			return fmt.Errorf("write the raft log: %w", err)
		}
		logs = logs[n:]
	}
	return nil
}

func (s *store) storeSome(logs []*raft.Log) (n int, err error) {
	buf := s.buf[:0]
	ends := make([]int, 0, len(logs))
	limit := s.txnBytes()
	for i, l := range logs {
		if i > 0 && len(buf)+len(l.Data) > limit {
			break
		}
		buf = appendLog(buf, l)
		ends = append(ends, len(buf))
	}
	n = len(ends)
	err = s.db.Update(func(tx *badger.Txn) error {
		from := 0
		for i, to := range ends {
			if err := tx.Set(logKey(logs[i].Index), buf[from:to]); err != nil {
				return err
			}
			from = to
		}
		return nil
	})
	if cap(buf) < 4<<20 {
		s.buf = buf
	}
	if err != nil {
		return 0, err
	}
	end := logs[n-1]
	if err := s.guard.end(end.Index, end.Term); err != nil {
		return 0, err
	}
	s.added.Add(int64(len(buf) + 40*n))
	s.mu.Lock()
	if s.first == 0 {
		s.first = logs[0].Index
	}
	s.last = end.Index
	s.mu.Unlock()
	return n, nil
}

// DeleteRange deletes from the front upwards and from the end downwards, so
// that a crash in between leaves no hole.
func (s *store) DeleteRange(lo, hi uint64) error {
	s.mu.RLock()
	first, last := s.first, s.last
	s.mu.RUnlock()
	lo, hi = max(lo, first), min(hi, last)
	if lo > hi || first == 0 {
		return nil
	}
	down := hi == last && lo > first
	if down {
		if err := s.shorten(lo - 1); err != nil {
			return err
		}
	}
	const slice = 2000
	for lo <= hi {
		from, to := lo, min(hi, lo+slice-1)
		if down {
			from, to = max(lo, hi-min(hi, slice-1)), hi
		}
		if err := s.deleteSlice(from, to); err != nil {
			return fmt.Errorf("shorten the raft log: %w", err)
		}
		s.mu.Lock()
		if down {
			hi = from - 1
			s.last = hi
		} else {
			lo = to + 1
			s.first = lo
		}
		if s.first > s.last {
			s.first, s.last = 0, 0
		}
		s.mu.Unlock()
	}
	return nil
}

// shorten tells the guard, before it happens, that the log ends earlier.
func (s *store) shorten(last uint64) error {
	var l raft.Log
	if err := s.GetLog(last, &l); err != nil {
		return err
	}
	return s.guard.shorten(last, l.Term)
}

func (s *store) deleteSlice(from, to uint64) error {
	return s.db.Update(func(tx *badger.Txn) error {
		for i := from; i <= to; i++ {
			if err := tx.Delete(logKey(i)); err != nil {
				return err
			}
		}
		return nil
	})
}

// errNotFound has the text that raft compares.
var errNotFound = errors.New("not found")

func (s *store) Set(key, val []byte) error {
	return s.db.Update(func(tx *badger.Txn) error {
		return tx.Set(append([]byte{kindStable}, key...), sealed(val))
	})
}

func (s *store) Get(key []byte) (val []byte, err error) {
	return s.getSealed(append([]byte{kindStable}, key...))
}

func (s *store) getSealed(key []byte) (val []byte, err error) {
	err = s.db.View(func(tx *badger.Txn) error {
		it, err := tx.Get(key)
		if errors.Is(err, badger.ErrKeyNotFound) {
			return errNotFound
		}
		if err != nil {
			return err
		}
		return it.Value(func(v []byte) error {
			val, err = unsealed(v)
			return err
		})
	})
	return val, err
}

func sealed(val []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, crc32.Checksum(val, castagnoli)), val...)
}

func unsealed(v []byte) ([]byte, error) {
	if len(v) < 4 || binary.BigEndian.Uint32(v) != crc32.Checksum(v[4:], castagnoli) {
		return nil, errors.New("a value of raft is damaged")
	}
	return append([]byte{}, v[4:]...), nil
}

var (
	keyTerm     = []byte("CurrentTerm")
	keyVoteTerm = []byte("LastVoteTerm")
)

func (s *store) SetUint64(key []byte, val uint64) error {
	if err := s.Set(key, binary.BigEndian.AppendUint64(nil, val)); err != nil {
		return err
	}
	switch string(key) {
	case string(keyTerm):
		return s.guard.term(val)
	case string(keyVoteTerm):
		return s.guard.vote(val)
	}
	return nil
}

func (s *store) GetUint64(key []byte) (uint64, error) {
	b, err := s.Get(key)
	if err != nil {
		return 0, err
	}
	if len(b) != 8 {
		return 0, errors.New("a value of raft is damaged")
	}
	return binary.BigEndian.Uint64(b), nil
}
