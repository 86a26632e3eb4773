package raftq

import (
	"io"

	"github.com/hashicorp/raft"

	"github.com/adauldev/octaskly/queue/state"
)

// fsm carries committed entries to the state.
type fsm struct {
	state   *state.State
	entries []state.Entry
}

var _ raft.BatchingFSM = (*fsm)(nil)

func (f *fsm) Apply(l *raft.Log) any { return f.ApplyBatch([]*raft.Log{l})[0] }

func (f *fsm) ApplyBatch(logs []*raft.Log) []any {
	f.entries = f.entries[:0]
	for _, l := range logs {
		if l.Type == raft.LogCommand {
			f.entries = append(f.entries, state.Entry{Index: l.Index, Term: l.Term, Data: l.Data})
		}
	}
	replies := f.state.Apply(f.entries)
	if len(replies) == len(logs) {
		return replies
	}
	all := make([]any, len(logs))
	for i, l := range logs {
		if l.Type == raft.LogCommand {
			all[i], replies = replies[0], replies[1:]
		}
	}
	return all
}

// Snapshot has nothing to write: see snapshots.
func (f *fsm) Snapshot() (raft.FSMSnapshot, error) { return empty{}, nil }

func (f *fsm) Restore(r io.ReadCloser) error {
	defer r.Close()
	return f.state.Import(r)
}

type empty struct{}

func (empty) Persist(s raft.SnapshotSink) error { return s.Close() }
func (empty) Release()                          {}
