// Package raftq is the queue's production log: hashicorp/raft with its log in
// Badger, beside the queue's state. A lone dispatcher is a group of one voter,
// which bootstraps itself.
//
// What is on disk is checked before anything is started: the log has no hole,
// it has not lost an end that was acknowledged (a guard file beside it
// remembers), and it and the state belong together. Anything else is refused
// with task.KindCorrupt, naming the store.
package raftq
