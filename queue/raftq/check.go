package raftq

import (
	"encoding/binary"
	"errors"
	"fmt"

	badger "github.com/dgraph-io/badger/v4"
	"github.com/hashicorp/raft"
)

// survey is what a look through the whole raft store found.
type survey struct {
	first, last uint64
	lastTerm    uint64
	bytes       int64
	snap        *raft.SnapshotMeta // nil: none
	term, vote  uint64
	any         bool // there is something at all

	termOf func(index uint64) (uint64, bool)
}

// look reads every record of the store and checks each and their order.
func (s *store) look() (survey, error) {
	var v survey
	terms := map[uint64]uint64{} // index of the first entry of each run of one term
	var runs []uint64
	err := s.db.View(func(tx *badger.Txn) error {
		o := badger.DefaultIteratorOptions
		o.PrefetchValues = false // values stand beside their keys
		it := tx.NewIterator(o)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			v.any = true
			k := it.Item().Key()
			if k[0] != kindLog {
				continue
			}
			if len(k) != 9 {
				return fmt.Errorf("it has a key that nobody wrote: %x", k)
			}
			i := binary.BigEndian.Uint64(k[1:])
			if v.last != 0 && i != v.last+1 {
				return fmt.Errorf("entries %d to %d are missing", v.last+1, i-1)
			}
			var l raft.Log
			err := it.Item().Value(func(b []byte) error {
				v.bytes += int64(len(b) + 40)
				return parseLog(i, b, &l)
			})
			if err != nil {
				return err
			}
			if l.Term < v.lastTerm {
				return fmt.Errorf("entry %d is of term %d, the one before of term %d", i, l.Term, v.lastTerm)
			}
			if v.first == 0 {
				v.first = i
			}
			if v.first == i || l.Term != v.lastTerm {
				terms[i] = l.Term
				runs = append(runs, i)
			}
			v.last, v.lastTerm = i, l.Term
		}
		return nil
	})
	if err != nil {
		return v, err
	}
	v.termOf = func(index uint64) (uint64, bool) {
		if index < v.first || index > v.last || v.first == 0 {
			return 0, false
		}
		at := runs[0]
		for _, r := range runs {
			if r <= index {
				at = r
			}
		}
		return terms[at], true
	}
	if v.snap, err = s.snapshot(); err != nil {
		return v, err
	}
	if v.term, err = orZero(s.GetUint64(keyTerm)); err != nil {
		return v, err
	}
	v.vote, err = orZero(s.GetUint64(keyVoteTerm))
	return v, err
}

func orZero(n uint64, err error) (uint64, error) {
	if errors.Is(err, errNotFound) {
		return 0, nil
	}
	return n, err
}

// checkLog says what is wrong with a log, given what the guard remembers; nil
// is nothing.
func checkLog(v survey, g mark, fresh bool) error {
	snap := uint64(0)
	if v.snap != nil {
		snap = v.snap.Index
	}
	end := max(v.last, snap)
	switch {
	case fresh && v.any:
		return errors.New("the guard file that belongs to it is missing or empty")
	case v.first > snap+1:
		return fmt.Errorf("it begins with entry %d, but the latest snapshot ends with %d", v.first, snap)
	case end < g.last:
		return fmt.Errorf("it ends with entry %d, but entry %d was acknowledged", end, g.last)
	case v.term < g.term || v.vote < g.vote:
		return fmt.Errorf("it remembers term %d, but was in term %d", v.term, max(g.term, g.vote))
	case v.term < v.lastTerm:
		return fmt.Errorf("it remembers term %d, but has an entry of term %d", v.term, v.lastTerm)
	}
	if t, ok := v.termOf(g.last); ok && t != g.lastTerm {
		return fmt.Errorf("entry %d is of term %d, but one of term %d was acknowledged", g.last, t, g.lastTerm)
	}
	return nil
}

// fault names the store that is wrong.
type fault struct {
	store string
	err   error
}

// checkPair says whether a log and the state that was made from it belong
// together: the state has everything that the log no longer has, and nothing
// that the log never had.
func checkPair(v survey, index, term uint64) *fault {
	snap, snapTerm := uint64(0), uint64(0)
	if v.snap != nil {
		snap, snapTerm = v.snap.Index, v.snap.Term
	}
	if index > max(v.last, snap) {
		return &fault{"raft", fmt.Errorf("it ends with entry %d, but the state has seen entry %d: its end is lost", max(v.last, snap), index)}
	}
	if index < snap {
		return &fault{"state", fmt.Errorf("it ends with entry %d, but it had entry %d: its end is lost", index, snap)}
	}
	if index == 0 {
		return nil
	}
	t, ok := v.termOf(index)
	if !ok {
		t = snapTerm // index == snap
	}
	if t != term {
		return &fault{"raft", fmt.Errorf("entry %d is of term %d, but the state has seen one of term %d", index, t, term)}
	}
	return nil
}
