package queue

import (
	"context"

	"github.com/adauldev/octaskly/queue/state"
	"github.com/adauldev/octaskly/queue/task"
)

// State is what this queue's changes are applied to. Who reads something that is not
// here reads it there; only the log applies.
func (q *Queue) State() *state.State { return q.state }

// Get is one task with all its attempts; KindNotFound if there is none.
func (q *Queue) Get(id task.ID) (task.Task, error) { return q.state.Get(id) }

// List is a page of tasks: see state.State.List.
func (q *Queue) List(ctx context.Context, query task.Query) (task.Page, error) {
	return q.state.List(ctx, query)
}

// Counts is the number of tasks in each state.
func (q *Queue) Counts() map[task.State]int { return q.state.Counts() }

// Classes lists the classes that have ready tasks, highest priority first, then
// oldest task first.
func (q *Queue) Classes() []Class { return q.state.Classes() }

// Ready is signalled (capacity one) when tasks became ready since the last receive.
func (q *Queue) Ready() <-chan struct{} { return q.state.Ready() }

// ReadyCount is the number of tasks that could start now.
func (q *Queue) ReadyCount() int { return q.state.ReadyCount() }

// Position is the number of ready tasks that go before this one; 0 if it is not
// waiting.
func (q *Queue) Position(id task.ID) int { return q.state.Position(id) }

// Held lists the leases of a node, or of all nodes if node is empty, by task number.
func (q *Queue) Held(node task.NodeID) []Lease { return q.state.Held(node) }

// Untake gives back tasks that were taken and not leased.
func (q *Queue) Untake(ids ...task.ID) { q.state.Untake(ids...) }

// Watch reads the feed of changes after a position; 0 is from now.
func (q *Queue) Watch(from uint64) *Watcher { return q.state.Watch(from) }

// Stamp is a new position in the feed behind all changes so far.
func (q *Queue) Stamp() uint64 { return q.state.Stamp() }

// Oldest is when the oldest change that is kept happened, in Unix ms; 0 when none is.
func (q *Queue) Oldest() int64 { return q.state.Oldest() }

// Members lists the members by name.
func (q *Queue) Members() []Member { return q.state.Members() }

// Member is one member by id, or by name, case ignored.
func (q *Queue) Member(nameOrID string) (Member, bool) { return q.state.Member(nameOrID) }

// Revoked reports whether a key is no longer welcome.
func (q *Queue) Revoked(id task.NodeID) bool { return q.state.Revoked(id) }

// Revocations lists the revoked keys, oldest first.
func (q *Queue) Revocations() []Revocation { return q.state.Revocations() }

// Invites lists all stored invites by id.
func (q *Queue) Invites() []Invite { return q.state.Invites() }

// Meta is a value stored by PutMeta, or nil.
func (q *Queue) Meta(name string) []byte { return q.state.Meta(name) }

// Hash is a hash of everything stored.
func (q *Queue) Hash() uint64 { return q.state.Hash() }
