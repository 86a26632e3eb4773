package state

import (
	"fmt"

	"github.com/adauldev/octaskly/queue/task"
)

// A command begins with its kind and its time (Unix ms, the proposer's clock);
// what follows depends on the kind. One that cannot be read changes nothing.
type commandKind byte

const (
	cmdSubmit commandKind = iota + 1
	cmdGrant
	cmdRecord
	cmdRelease
	cmdCancel
	cmdPurge
	cmdPutMember
	cmdRemoveMember
	cmdDrain
	cmdPutInvite
	cmdUseInvite
	cmdDropInvite
	cmdPutMeta
)

// Bounds on one command.
const (
	MaxCommandBytes = 512 << 10 // a command with more than one item is cut before this
	maxSingleBytes  = 640 << 10 // a command with one item, which cannot be cut
	MaxMessage      = 1 << 10
	MaxMeta         = 64 << 10
)

func beginCommand(b []byte, k commandKind, now int64) []byte {
	return putInt(append(b, byte(k)), now)
}

func readCommand(data []byte) (commandKind, int64, *reader) {
	r := &reader{b: data}
	return commandKind(r.byte()), r.int(), r
}

func appendGrant(b []byte, g, _ *Grant) []byte {
	b = putUint(b, uint64(g.ID))
	b = putUint(b, g.Fence.Term)
	return putUint(b, uint64(g.Fence.Attempt))
}

func readGrant(r *reader) Grant {
	return Grant{ID: task.ID(r.uint()), Fence: task.Fence{Term: r.uint(), Attempt: r.uint32()}}
}

// appendOutcome writes an outcome; the node is left out if it is that of the
// outcome before in the same command.
func appendOutcome(b []byte, o, before *Outcome) []byte {
	b = putUint(b, uint64(o.ID))
	b = putUint(b, o.Fence.Term)
	b = putUint(b, uint64(o.Fence.Attempt))
	same := before != nil && before.Node == o.Node
	if b = putBool(b, same); !same {
		b = putString(b, string(o.Node))
	}
	b = appendExit(b, &o.Exit)
	b = putInt(b, o.Started)
	b = putInt(b, o.Ended)
	b = putInt(b, int64(o.Usage.CPU))
	b = putInt(b, o.Usage.MaxRSS)
	b = putInt(b, o.Usage.Written)
	b = putString(b, o.Enforced)
	return appendOutput(b, &o.Output)
}

// readOutcome reads an outcome over the one before.
func readOutcome(r *reader, o *Outcome) {
	o.ID = task.ID(r.uint())
	o.Fence = task.Fence{Term: r.uint(), Attempt: r.uint32()}
	if !r.bool() {
		o.Node = task.NodeID(r.string())
	}
	o.Exit = readExit(r)
	o.Started = r.int()
	o.Ended = r.int()
	o.Usage = task.Usage{CPU: durationOf(r.int()), MaxRSS: r.int(), Written: r.int()}
	o.Enforced = r.string()
	o.Output = readOutput(r)
}

func appendRelease(b []byte, t *Release) []byte {
	b = putUint(b, uint64(t.ID))
	b = putUint(b, t.Fence.Term)
	b = putUint(b, uint64(t.Fence.Attempt))
	b = append(b, byte(t.Why))
	b = putString(b, t.Message)
	b = putInt(b, t.Started)
	return appendOutput(b, &t.Output)
}

func readRelease(r *reader) Release {
	return Release{
		ID:      task.ID(r.uint()),
		Fence:   task.Fence{Term: r.uint(), Attempt: r.uint32()},
		Why:     ReleaseReason(r.byte()),
		Message: r.string(),
		Started: r.int(),
		Output:  readOutput(r),
	}
}

// readList reads a counted list of at most task.MaxBatch things.
func readList[T any](r *reader, one func(*reader) T) ([]T, error) {
	n := r.count()
	if r.err == nil && n > task.MaxBatch {
		return nil, fmt.Errorf("a command with %d items, more than %d", n, task.MaxBatch)
	}
	list := make([]T, n)
	for i := range list {
		list[i] = one(r)
	}
	return list, r.end()
}

func readID(r *reader) task.ID { return task.ID(r.uint()) }
