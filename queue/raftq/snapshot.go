package raftq

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	badger "github.com/dgraph-io/badger/v4"
	"github.com/hashicorp/raft"

	"github.com/adauldev/octaskly/queue/state"
)

// snapshots is a SnapshotStore whose snapshots have no content of their own:
// index, term and configuration are kept, and the content is the live state,
// which by then is at least as new. A snapshot that came from another node is
// a file until the state has taken it over.
type snapshots struct {
	store *store
	state *state.State
	dir   string // for files
	keep  func() // called when a snapshot is complete
}

var _ raft.SnapshotStore = (*snapshots)(nil)

// snapshot is the latest one, nil if there is none.
func (s *store) snapshot() (*raft.SnapshotMeta, error) {
	b, err := s.getSealed([]byte{kindSnap})
	if errors.Is(err, errNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var m raft.SnapshotMeta
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("its snapshot can not be read: %w", err)
	}
	return &m, nil
}

func (s *snapshots) List() ([]*raft.SnapshotMeta, error) {
	m, err := s.store.snapshot()
	if m == nil || err != nil {
		return nil, err
	}
	return []*raft.SnapshotMeta{m}, nil
}

func (s *snapshots) path(id string) string { return filepath.Join(s.dir, id+".snap") }

// Open gives the received file of a snapshot, or the live state.
func (s *snapshots) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	m, err := s.store.snapshot()
	if err != nil {
		return nil, nil, err
	}
	if m == nil || m.ID != id {
		return nil, nil, fmt.Errorf("there is no snapshot %s any more", id)
	}
	f, err := os.Open(s.path(id))
	if errors.Is(err, os.ErrNotExist) {
		f, err = s.export()
	}
	if err != nil {
		return nil, nil, err
	}
	fi, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	m.Size = fi.Size()
	return m, f, nil
}

// export writes the live state to a file that is gone when it is closed: raft
// has to know the size before it sends.
func (s *snapshots) export() (*os.File, error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(s.dir, "send-*.tmp")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name()) // where an open file can not be removed, clean does it
	if err := s.state.Export(context.Background(), f); err != nil {
		_ = f.Close()
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// clean removes files that no snapshot needs.
func (s *snapshots) clean(keep string) {
	list, err := os.ReadDir(s.dir)
	if err != nil {
		return
	}
	for _, e := range list {
		n := e.Name()
		if (strings.HasSuffix(n, ".snap") || strings.HasSuffix(n, ".tmp")) && n != keep+".snap" {
			_ = os.Remove(filepath.Join(s.dir, n))
		}
	}
}

func (s *snapshots) Create(version raft.SnapshotVersion, index, term uint64, conf raft.Configuration,
	confIndex uint64, _ raft.Transport,
) (raft.SnapshotSink, error) {
	m := &raft.SnapshotMeta{
		Version: version, ID: fmt.Sprintf("%d-%d", term, index), Index: index, Term: term,
		Configuration: conf, ConfigurationIndex: confIndex,
	}
	return &sink{s: s, meta: m}, nil
}

// sink takes a snapshot: an empty one of the own state, or a stream from
// another node.
type sink struct {
	s    *snapshots
	meta *raft.SnapshotMeta
	f    *os.File
	done bool
}

func (k *sink) ID() string { return k.meta.ID }

func (k *sink) Write(p []byte) (int, error) {
	if k.f == nil {
		if err := os.MkdirAll(k.s.dir, 0o700); err != nil {
			return 0, err
		}
		f, err := os.OpenFile(k.s.path(k.meta.ID), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return 0, err
		}
		k.f = f
	}
	return k.f.Write(p)
}

// Close makes the snapshot count. For the own state that means: the store has
// everything up to it, synced, because raft will now drop the entries.
func (k *sink) Close() error {
	if k.done {
		return nil
	}
	k.done = true
	if k.f != nil {
		err := k.f.Sync()
		if e := k.f.Close(); err == nil {
			err = e
		}
		if err != nil {
			return err
		}
	} else {
		k.s.state.Advance(k.meta.Index, k.meta.Term)
		if err := k.s.state.Flush(context.Background()); err != nil {
			return err
		}
	}
	b, err := json.Marshal(k.meta)
	if err != nil {
		return err
	}
	err = k.s.store.db.Update(func(tx *badger.Txn) error { return tx.Set([]byte{kindSnap}, sealed(b)) })
	if err == nil {
		k.s.keep()
	}
	return err
}

func (k *sink) Cancel() error {
	if k.done {
		return nil
	}
	k.done = true
	if k.f == nil {
		return nil
	}
	_ = k.f.Close()
	return os.Remove(k.f.Name())
}
