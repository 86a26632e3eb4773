package state

import "github.com/adauldev/octaskly/queue/task"

// ClassID names a class while it has ready tasks; it is never used again.
type ClassID uint64

// Class is a group of ready tasks that ask for the same: what placement needs
// to know about all of them at once.
type Class struct {
	ID       ClassID
	Need     task.Need // shared: do not change its map
	Priority uint8
	Delivery task.Delivery
	Count    int     // ready and not taken
	Oldest   task.ID // the next one Take gives
}

// Item is a task taken from the ready queue, with the fence to grant it under.
type Item struct {
	ID    task.ID
	Fence task.Fence
	Spec  task.Spec // shared: do not change what it refers to
}

// Lease is a task held by a worker.
type Lease struct {
	ID         task.ID
	Fence      task.Fence
	Node       task.NodeID
	Granted    int64 // Unix ms, dispatcher's clock
	Started    int64 // 0 until MarkRunning
	Priority   uint8
	Delivery   task.Delivery
	Cancelling bool
	Need       task.Need // shared: do not change its map
}

// Change is one step of one task's life. Seq increases; it is the position to
// resume from.
type Change struct {
	Seq   uint64
	Index uint64 // of the command that made it; Running has that of the command before
	Time  int64  // Unix ms, dispatcher's clock
	ID    task.ID
	From  task.State // 0 for a submit
	To    task.State // 0 when the finished task was removed
	Node  task.NodeID
	Fence task.Fence
	Exit  task.Exit // when an attempt ended
}
