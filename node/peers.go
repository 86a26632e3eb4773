package node

// dispatchersSeen lists addresses of nodes seen on the network that may dispatch
// in this node's cluster.
func (n *Node) dispatchersSeen() []string { return nil }

// asking lists addresses of nodes seen on the network that want to be members.
func (n *Node) asking() []string { return nil }
