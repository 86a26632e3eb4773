// Package raftq is the queue's production log: hashicorp/raft with its log in
// Badger, beside the queue's state. A lone dispatcher is a group of one voter.
//
// Planned surface:
//
//	q, log, err := raftq.OpenQueue(queue.Options{Dir: dir, …}, raftq.Options{ID: nodeID, Logger: l})
//	go q.Run(ctx)
//	log.WaitLeader(ctx)
//	…
//	q.Close() // closes the log and the state
package raftq
