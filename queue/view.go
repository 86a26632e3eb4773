package queue

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

// Filter selects tasks. Empty fields select all; all conditions are required;
// entries of one list are alternatives.
type Filter struct {
	IDs    []task.ID
	States []task.State
	Nodes  []task.NodeID // of the last attempt
	Tags   []string
	Name   string  // exactly
	Text   string  // part of the command or the name, case ignored
	Since  int64   // submitted at or after, Unix ms
	Oldest bool    // oldest first instead of newest first
	After  task.ID // the last id of the page before; 0 is from the start
	Limit  int     // 0 is 50; at most 1000
}

// Page is a part of a list. Spec.Stdin and inline output are included.
type Page struct {
	Tasks []task.Task
	More  bool    // there may be further ones
	Next  task.ID // what to give as Filter.After for them; 0 if More is false
	Total int     // how many match in all; -1 if that was not counted
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
