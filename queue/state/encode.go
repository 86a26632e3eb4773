package state

import (
	"bytes"
	"sync"

	"github.com/adauldev/octaskly/queue/task"
)

// The functions here write commands; those of apply.go and beside it read them.
// now is the proposer's clock in Unix milliseconds. A list of any length is cut into
// commands of at most task.MaxBatch items.

var writers = sync.Pool{New: func() any { return &blockWriter{} }}

// EncodeSubmit writes the commands that store tasks: one, or several when they do
// not fit one. limit is the most tasks that may be unfinished; 0 is no limit.
func EncodeSubmit(now int64, limit int, by task.Principal, tasks []task.NewTask) [][]byte {
	w := writers.Get().(*blockWriter)
	defer writers.Put(w)
	w.reset()
	var cmds [][]byte
	flush := func() {
		if w.n == 0 {
			return
		}
		b := beginCommand(w.out[:0], cmdSubmit, now)
		b = putUint(b, uint64(max(limit, 0)))
		w.out = w.append(b, now, by)
		cmds = append(cmds, bytes.Clone(w.out))
		w.reset()
	}
	for i := range tasks {
		if w.n > 0 && (w.n == task.MaxBatch || w.size()+commandSize(&tasks[i]) > MaxCommandBytes) {
			flush()
		}
		w.add(&tasks[i])
	}
	flush()
	return cmds
}

// commandSize is about how many bytes a task adds to a command, from above: what
// it carries, what it asks of a node once more, and its place in the block.
func commandSize(t *task.NewTask) int { return 48 + t.Size() + t.Spec.Need.Size() }

// cut writes items into commands of at most task.MaxBatch items and about
// MaxCommandBytes. head writes what stands before the count, one writes an item
// and is told the one before in the same command, if any.
func cut[T any](items []T, head func([]byte) []byte, one func(b []byte, t, before *T) []byte) [][]byte {
	var cmds [][]byte
	var body []byte
	n := 0
	flush := func() {
		if n == 0 {
			return
		}
		cmds = append(cmds, append(putUint(head(make([]byte, 0, len(body)+32)), uint64(n)), body...))
		body, n = body[:0], 0
	}
	for i := range items {
		size := len(body)
		var before *T
		if n > 0 {
			before = &items[i-1]
		}
		body = one(body, &items[i], before)
		if n++; n > 1 && len(body) > MaxCommandBytes {
			body, n = body[:size], n-1
			flush()
			body, n = one(body, &items[i], nil), 1
		}
		if n == task.MaxBatch {
			flush()
		}
	}
	flush()
	return cmds
}

// EncodeGrant writes the commands that lease taken tasks to a node.
func EncodeGrant(now int64, node task.NodeID, grants []Grant) [][]byte {
	return cut(grants, func(b []byte) []byte { return putString(beginCommand(b, cmdGrant, now), string(node)) }, appendGrant)
}

// EncodeRecord writes the commands that end attempts.
func EncodeRecord(now int64, outcomes []Outcome) [][]byte {
	return cut(outcomes, func(b []byte) []byte { return beginCommand(b, cmdRecord, now) }, appendOutcome)
}

// EncodeRelease writes the commands that give back leases.
func EncodeRelease(now int64, returns []Release) [][]byte {
	return cut(returns, func(b []byte) []byte { return beginCommand(b, cmdRelease, now) },
		func(b []byte, t, _ *Release) []byte {
			if len(t.Message) > MaxMessage {
				short := *t
				short.Message = t.Message[:MaxMessage]
				t = &short
			}
			return appendRelease(b, t)
		})
}

// EncodeCancel writes the commands that end tasks.
func EncodeCancel(now int64, by task.Principal, ids []task.ID) [][]byte {
	return cut(ids, func(b []byte) []byte { return putString(beginCommand(b, cmdCancel, now), string(by)) }, appendID)
}

// EncodePurge writes the commands that remove finished tasks.
func EncodePurge(now int64, ids []task.ID) [][]byte {
	return cut(ids, func(b []byte) []byte { return beginCommand(b, cmdPurge, now) }, appendID)
}

func appendID(b []byte, id, _ *task.ID) []byte { return putUint(b, uint64(*id)) }

// EncodePutMember writes the command that adds or replaces a member.
func EncodePutMember(now int64, m *Member) []byte {
	return pack(beginCommand(nil, cmdPutMember, now), m)
}

// EncodeRemoveMember writes the command that removes a member and revokes its key.
func EncodeRemoveMember(now int64, id task.NodeID, by string) []byte {
	return putString(putString(beginCommand(nil, cmdRemoveMember, now), string(id)), by)
}

// EncodeDrain writes the command that makes a member take no more tasks, or take
// them again.
func EncodeDrain(now int64, id task.NodeID, drain bool) []byte {
	return putBool(putString(beginCommand(nil, cmdDrain, now), string(id)), drain)
}

// EncodePutInvite writes the command that stores an invite.
func EncodePutInvite(now int64, i *Invite) []byte {
	return pack(beginCommand(nil, cmdPutInvite, now), i)
}

// EncodeUseInvite writes the command that spends one use of an invite.
func EncodeUseInvite(now int64, id string, node task.NodeID) []byte {
	return putString(putString(beginCommand(nil, cmdUseInvite, now), id), string(node))
}

// EncodeDropInvite writes the command that removes an invite.
func EncodeDropInvite(now int64, id string) []byte {
	return putString(beginCommand(nil, cmdDropInvite, now), id)
}

// EncodePutMeta writes the command that stores a value about the cluster; nil
// removes it, once leaves one that is there.
func EncodePutMeta(now int64, name string, value []byte, once bool) []byte {
	b := putBytes(putString(beginCommand(nil, cmdPutMeta, now), name), value)
	return putBool(putBool(b, value == nil), once)
}

// IsSubmit reports whether a command stores tasks, how many, and under which limit.
// Only a planted bug asks.
func IsSubmit(cmd []byte) (tasks, limit int, ok bool) {
	kind, _, r := readCommand(cmd)
	if kind != cmdSubmit {
		return 0, 0, false
	}
	limit = int(r.uint())
	k, err := parseBlock(r.b)
	if err != nil {
		return 0, 0, false
	}
	return len(k.items), limit, true
}
