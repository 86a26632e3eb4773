package badgerdb

import (
	"errors"
	"log/slog"

	badger "github.com/dgraph-io/badger/v4"

	"github.com/adauldev/octaskly/queue/state"
)

// Store is the store of a State.
type Store struct {
	dir         string
	db          *badger.DB
	compactions *Compactions
}

var _ state.Store = (*Store)(nil)

// OpenStore opens the store in dir. table is the size of a memory table in bytes; 0
// is DefaultTable.
func OpenStore(dir string, table int64, logger *slog.Logger) (*Store, error) {
	db, err := Open("state", dir, table, logger)
	if err != nil {
		return nil, err
	}
	return &Store{dir: dir, db: db, compactions: NewCompactions(db)}, nil
}

// Compactions are those of this store.
func (s *Store) Compactions() *Compactions { return s.compactions }

// Get copies the value under a key; nil if there is none.
func (s *Store) Get(key []byte) (value []byte, err error) {
	err = s.db.View(func(tx *badger.Txn) error {
		item, err := tx.Get(key)
		if errors.Is(err, badger.ErrKeyNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		value, err = item.ValueCopy(nil)
		return err
	})
	return value, err
}

// Each reads every record, in the order of keys.
func (s *Store) Each(f func(key, value []byte) error) error {
	return s.db.View(func(tx *badger.Txn) error {
		o := badger.DefaultIteratorOptions
		o.PrefetchValues = false // values stand beside their keys
		it := tx.NewIterator(o)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			item := it.Item()
			if err := item.Value(func(v []byte) error { return f(item.Key(), v) }); err != nil {
				return err
			}
		}
		return nil
	})
}

// Commit makes changes durable, all of them or none.
func (s *Store) Commit(change func(state.Writer) error) error {
	return s.db.Update(func(tx *badger.Txn) error { return change(tx) })
}

// Replace removes every record and writes others. It is not all or none: a fault
// half way leaves some of them.
func (s *Store) Replace(fill func(state.Writer) error) error {
	if err := s.db.DropAll(); err != nil {
		return err
	}
	batch := s.db.NewWriteBatch()
	defer batch.Cancel()
	if err := fill(batch); err != nil {
		return err
	}
	return batch.Flush()
}

// MaxBatch is how much one Commit may change.
func (s *Store) MaxBatch() (bytes, records int64) { return s.db.MaxBatchSize(), s.db.MaxBatchCount() }

// Damaged is the refusal to work with this store.
func (s *Store) Damaged(format string, a ...any) error { return Corrupt("state", s.dir, format, a...) }

// Closing lets writers that wait for a compaction go on.
func (s *Store) Closing() { s.compactions.Close() }

// Close closes the store.
func (s *Store) Close() error { return s.db.Close() }
