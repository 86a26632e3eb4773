package queue

import (
	"github.com/adauldev/octaskly/queue/state"
	"github.com/adauldev/octaskly/queue/task"
)

// proposeOne sends a command about the cluster itself.
func proposeOne[T any](q *Queue, cmd []byte) *Pending[T] {
	if err := q.space.MayWrite(); err != nil {
		return failed[T](err)
	}
	p := &Pending[T]{}
	if len(cmd) > state.MaxCommandBytes {
		return failed[T](task.Errorf(task.KindTooLarge, "a change of %d bytes is too large", len(cmd)))
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	propose(q, cmd, p.settle)
	return p
}

// PutMember adds a member or replaces it. The name gets a suffix (-2, -3 …) if
// another member has it; the reply is the member as stored. Joined and Drained
// of a member that exists are kept. It fails with KindNotAllowed if the id is
// revoked.
func (q *Queue) PutMember(m Member) *Pending[Member] {
	return proposeOne[Member](q, state.EncodePutMember(q.now(), &m))
}

// RemoveMember removes a member and revokes its key. KindNotFound if it is none.
func (q *Queue) RemoveMember(id task.NodeID, by string) *Pending[Member] {
	return proposeOne[Member](q, state.EncodeRemoveMember(q.now(), id, by))
}

// SetDrain makes a member take no more tasks, or take them again.
func (q *Queue) SetDrain(id task.NodeID, drain bool) *Pending[Member] {
	return proposeOne[Member](q, state.EncodeDrain(q.now(), id, drain))
}

// PutInvite stores an invite.
func (q *Queue) PutInvite(i Invite) *Pending[Invite] {
	return proposeOne[Invite](q, state.EncodePutInvite(q.now(), &i))
}

// UseInvite spends one use of an invite for a node and returns the invite. The
// same node may ask again without spending another. KindNotFound if there is
// no such invite, KindConflict if it is used up, KindTimeout if it expired.
func (q *Queue) UseInvite(id string, node task.NodeID) *Pending[Invite] {
	return proposeOne[Invite](q, state.EncodeUseInvite(q.now(), id, node))
}

// DropInvite removes an invite, if it is there.
func (q *Queue) DropInvite(id string) *Pending[struct{}] {
	return proposeOne[struct{}](q, state.EncodeDropInvite(q.now(), id))
}

// PutMeta stores a small value (at most 64 KiB) about the cluster, such as its
// certificate authority, under a name; nil removes it. If once is set and the
// name exists already, nothing changes. The reply is the value now stored.
func (q *Queue) PutMeta(name string, value []byte, once bool) *Pending[[]byte] {
	if len(value) > state.MaxMeta {
		return failed[[]byte](task.Errorf(task.KindTooLarge, "%s has %d bytes, more than %d", name, len(value), state.MaxMeta))
	}
	return proposeOne[[]byte](q, state.EncodePutMeta(q.now(), name, value, once))
}
