package raftq

import (
	"net"
	"time"

	"github.com/hashicorp/raft"
)

// Link carries raft between nodes: streams that are already authenticated, the
// other end having the role dispatcher. Addresses are node ids.
type Link interface {
	net.Listener
	// Dial opens a stream to a node.
	Dial(node string, timeout time.Duration) (net.Conn, error)
}

// streams makes a Link what raft wants.
type streams struct{ Link }

var _ raft.StreamLayer = streams{}

func (s streams) Dial(addr raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	return s.Link.Dial(string(addr), timeout)
}
