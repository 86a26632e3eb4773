package state

// Store keeps the records of a State on disk. It knows nothing of what they are.
type Store interface {
	// Get copies the value under a key; nil if there is none.
	Get(key []byte) ([]byte, error)
	// Each calls f for every record in the order of keys, and returns f's first
	// error. Key and value are valid until f returns.
	Each(f func(key, value []byte) error) error
	// Commit makes changes durable before it returns, all of them or none.
	Commit(change func(Writer) error) error
	// Replace removes every record and writes others. After an error the store may
	// have some of both.
	Replace(fill func(Writer) error) error
	// MaxBatch is how much one Commit may change.
	MaxBatch() (bytes, records int64)
	// Damaged is the error, of task.KindCorrupt, that refuses to work with this
	// store and names it.
	Damaged(format string, a ...any) error
	// Closing is called before the last Commit.
	Closing()
	// Close is called once, when nothing is read or written any more.
	Close() error
}

// Writer changes records. Key and value are not kept longer than the Commit or
// Replace lasts, and do not change meanwhile.
type Writer interface {
	Set(key, value []byte) error
	Delete(key []byte) error
}
