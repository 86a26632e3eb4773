package state

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// memStore is a Store in memory. What it had when it was closed it still has.
type memStore struct {
	mu      sync.Mutex
	records map[string][]byte
}

var (
	_ Store  = (*memStore)(nil)
	_ Writer = memWriter(nil)
)

// memWriter collects changes; nil deletes.
type memWriter map[string][]byte

func (w memWriter) Set(key, value []byte) error {
	w[string(key)] = append([]byte{}, value...)
	return nil
}

func (w memWriter) Delete(key []byte) error {
	w[string(key)] = nil
	return nil
}

func (m *memStore) Get(key []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.Clone(m.records[string(key)]), nil
}

func (m *memStore) Each(f func(key, value []byte) error) error {
	m.mu.Lock()
	records := maps.Clone(m.records)
	m.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(records)) {
		if err := f([]byte(key), records[key]); err != nil {
			return err
		}
	}
	return nil
}

func (m *memStore) Commit(change func(Writer) error) error {
	w := memWriter{}
	if err := change(w); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.records == nil {
		m.records = memWriter{}
	}
	maps.Copy(m.records, w)
	maps.DeleteFunc(m.records, func(_ string, value []byte) bool { return value == nil })
	return nil
}

func (m *memStore) Replace(fill func(Writer) error) error {
	m.mu.Lock()
	m.records = nil
	m.mu.Unlock()
	return m.Commit(fill)
}

func (m *memStore) MaxBatch() (size, records int64)       { return 1 << 20, 1 << 14 }
func (m *memStore) Damaged(format string, a ...any) error { return fmt.Errorf(format, a...) }
func (m *memStore) Closing()                              {}
func (m *memStore) Close() error                          { return nil }
