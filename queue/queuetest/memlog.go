package queuetest

import (
	"context"
	"sync"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/state"
)

// MemLog is a Log without a log, for tests: every command is committed at once
// and forgotten. A state that is fed by it loses what its store does not have.
type MemLog struct {
	mu      sync.Mutex
	some    *sync.Cond
	state   *state.State
	index   uint64
	term    uint64
	changed chan struct{}
	answers []func()
	closed  bool
	ended   chan struct{}
}

var _ queue.Log = (*MemLog)(nil)

// NewMemLog makes a log of its own term for a state. It starts one goroutine,
// which Close ends.
func NewMemLog(s *state.State) *MemLog {
	index, term := s.LogPosition()
	l := &MemLog{state: s, index: index, term: term + 1, changed: make(chan struct{}), ended: make(chan struct{})}
	l.some = sync.NewCond(&l.mu)
	// An empty entry begins the term, as in raft: the state remembers the term
	// even if nothing else is proposed in it.
	l.index++
	s.Apply([]state.Entry{{Index: l.index, Term: l.term}})
	go l.answer()
	return l
}

// Propose applies the command before it returns; done follows.
func (l *MemLog) Propose(cmd []byte, done func(queue.Applied, error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		go done(queue.Applied{}, queue.ErrNotLeader)
		return
	}
	l.index++
	e := state.Entry{Index: l.index, Term: l.term, Data: cmd}
	a := queue.Applied{Index: e.Index, Reply: l.state.Apply([]state.Entry{e})[0]}
	l.answers = append(l.answers, func() { done(a, nil) })
	l.some.Signal()
}

func (l *MemLog) answer() {
	defer close(l.ended)
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		for len(l.answers) == 0 && !l.closed {
			l.some.Wait()
		}
		list := l.answers
		l.answers = nil
		if len(list) == 0 {
			return
		}
		l.mu.Unlock()
		for _, f := range list {
			f()
		}
		l.mu.Lock()
	}
}

// Leader is always this node, until Close.
func (l *MemLog) Leader() (uint64, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.term, !l.closed
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
	if !l.closed {
		l.closed = true
		close(l.changed)
		l.some.Signal()
	}
	l.mu.Unlock()
	<-l.ended
	return nil
}
