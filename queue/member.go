package queue

import "github.com/adauldev/octaskly/queue/task"

// Member is a node that belongs to the cluster.
type Member struct {
	ID      task.NodeID `msgpack:"i"`
	Name    string      `msgpack:"n"` // unique among members; a clash gets a suffix
	Roles   []task.Role `msgpack:"r"`
	Cert    []byte      `msgpack:"c,omitempty"` // the leaf issued last, DER
	Addrs   []string    `msgpack:"a,omitempty"`
	Joined  int64       `msgpack:"j"`           // Unix ms
	Drained int64       `msgpack:"d,omitempty"` // Unix ms since when it takes no tasks; 0 is not draining
	By      string      `msgpack:"b,omitempty"` // who let it in
}

// Revocation says that a key is no longer welcome.
type Revocation struct {
	ID task.NodeID `msgpack:"i"`
	At int64       `msgpack:"a"` // Unix ms
	By string      `msgpack:"b,omitempty"`
}

// Invite is a code that lets nodes in. The code itself is never stored.
type Invite struct {
	ID      string        `msgpack:"i"` // names it in lists; derived from the code by the caller
	Proof   []byte        `msgpack:"p"` // what checking a code needs; the queue does not look inside
	Roles   []task.Role   `msgpack:"r"`
	Uses    int           `msgpack:"u"` // left
	Expires int64         `msgpack:"e"` // Unix ms
	UsedBy  []task.NodeID `msgpack:"U,omitempty"`
	By      string        `msgpack:"b,omitempty"`
}
