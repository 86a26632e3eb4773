// Package queue is what must happen, durably: tasks, their leases and results,
// and the facts about the cluster that must not be lost with them.
//
// Every change is a command: a value that carries its own time, proposed to a
// Log and applied to a State in the log's order. Apply knows no clock, no
// chance and no map order, so every replica of the log has the same state. A
// change is acknowledged when its command is committed (synced) in the log and
// applied in memory; the state on disk follows behind and is completed from
// the log after a crash.
//
// The pieces: package state is the state machine; badgerdb its store; Log is the
// seam to what orders commands (package raftq in production, queuetest.MemLog in
// tests); Queue is what the dispatcher talks to.
package queue
