// Package task is Octaskly's vocabulary: what a task, an attempt, a node and an
// error are called. It has no behaviour beyond its tables and imports nothing
// of ours, so that every other package may import it.
package task

import (
	"fmt"
	"strconv"
)

// ID is a task's number: 1, 2, 3 … in the order in which submits were applied.
// Zero is no task.
type ID uint64

// String is the number as people type it.
func (id ID) String() string { return strconv.FormatUint(uint64(id), 10) }

// ParseID reads a task number as people type it, with or without a leading '#'.
func ParseID(s string) (ID, error) {
	t := s
	if len(t) > 0 && t[0] == '#' {
		t = t[1:]
	}
	n, err := strconv.ParseUint(t, 10, 64)
	if err != nil || n == 0 {
		return 0, Errorf(KindUsage, "%q is not a task number; task numbers are 1, 2, 3 …", s)
	}
	return ID(n), nil
}

// NodeID names a node for ever: base32 (lower case, 52 characters) of the
// SHA-256 of its public key. Empty is no node.
type NodeID string

// Short is the first eight characters, for people; it is not unique.
func (n NodeID) Short() string {
	if len(n) > 8 {
		return string(n[:8])
	}
	return string(n)
}

// Fence orders everything that may arrive late: first the term of the
// dispatcher that granted, then the attempt. A fence once sent is never used
// for a second grant.
type Fence struct {
	Term    uint64 `msgpack:"t"`
	Attempt uint32 `msgpack:"a"`
}

// Less reports whether f was granted before g.
func (f Fence) Less(g Fence) bool {
	if f.Term != g.Term {
		return f.Term < g.Term
	}
	return f.Attempt < g.Attempt
}

// String is the form that a task sees in OCTASKLY_FENCE: "term.attempt".
func (f Fence) String() string { return fmt.Sprintf("%d.%d", f.Term, f.Attempt) }
