package queue

import (
	"context"
	"sync"
)

// MemLog is a Log without a log, for tests: every command is committed at once
// and forgotten. A state that is fed by it loses what its store does not have.
type MemLog struct {
	mu      sync.Mutex
	state   *State
	index   uint64
	term    uint64
	changed chan struct{}
}

var _ Log = (*MemLog)(nil)

// NewMemLog makes a log of its own term for a state.
func NewMemLog(s *State) *MemLog {
	index, term := s.LogPosition()
	return &MemLog{state: s, index: index, term: term + 1, changed: make(chan struct{})}
}

// Propose applies the command before it returns.
func (l *MemLog) Propose(cmd []byte, done func(Applied, error)) {
	l.mu.Lock()
	if l.state == nil {
		l.mu.Unlock()
		done(Applied{}, errNotLeader)
		return
	}
	l.index++
	e := Entry{Index: l.index, Term: l.term, Data: cmd}
	reply := l.state.Apply([]Entry{e})[0]
	l.mu.Unlock()
	done(Applied{e.Index, e.Term, reply}, nil)
}

// Leader is always this node, until Close.
func (l *MemLog) Leader() (uint64, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.term, l.state != nil
}

// NextTerm begins a new term, as a re-election would.
func (l *MemLog) NextTerm() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.term++
	close(l.changed)
	l.changed = make(chan struct{})
}

// LeaderChanged is closed by NextTerm and Close.
func (l *MemLog) LeaderChanged() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// Barrier returns at once: everything is applied.
func (l *MemLog) Barrier(context.Context) error { return nil }

// Close ends the log; the state stays open.
func (l *MemLog) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != nil {
		l.state = nil
		close(l.changed)
	}
	return nil
}
