package raftq

import (
	"context"

	"github.com/hashicorp/raft"
)

// watch keeps what Leader reports up to date.
func (l *Log) watch(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case lead := <-l.raft.LeaderCh():
			term := uint64(0)
			if lead {
				term = l.takeLeadership()
			}
			l.set(term)
		}
	}
}

// takeLeadership waits until everything of earlier terms is applied; 0 if the
// office is lost again by then.
func (l *Log) takeLeadership() uint64 {
	if err := l.barrier(); err != nil {
		return 0
	}
	term := l.raft.CurrentTerm()
	if l.raft.State() != raft.Leader {
		return 0
	}
	l.logger.Debug("queue: this node dispatches", "term", term)
	return term
}

func (l *Log) set(term uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.term == term {
		return
	}
	l.term = term
	close(l.changed)
	l.changed = make(chan struct{})
}

// Leader reports whether this node may propose, and in which term.
func (l *Log) Leader() (uint64, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.term, l.term != 0
}

// LeaderChanged is closed at the next change of what Leader reports.
func (l *Log) LeaderChanged() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// WaitLeader returns when this node leads, with the term.
func (l *Log) WaitLeader(ctx context.Context) (uint64, error) {
	for {
		changed := l.LeaderChanged()
		if term, ok := l.Leader(); ok {
			return term, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}
