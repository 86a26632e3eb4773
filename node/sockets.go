package node

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/local"
)

// socketFile is the file in a node's directory that says where its socket is.
// The folder for sockets can differ between a login and a service of the same
// user; the node's directory does not.
const socketFile = "socket"

// noteSocket writes down where this node listens.
func (n *Node) noteSocket(address string) {
	if err := os.WriteFile(filepath.Join(n.slot.Path(), socketFile), []byte(address+"\n"), 0o600); err != nil {
		n.log.Warn("the local socket's place could not be written down", "error", err)
	}
}

// sockets lists where nodes of this user may listen, those with a queue first.
func sockets(p config.Paths) []local.Address {
	found := local.Find(p.Runtime, p.Nodes)
	entries, _ := os.ReadDir(p.Nodes)
	for _, e := range entries {
		number, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		path := socketIn(filepath.Join(p.Nodes, e.Name()))
		if path == "" {
			continue
		}
		a := local.Address{N: number, Path: path}
		if !slices.Contains(found, a) {
			found = append(found, a)
		}
	}
	rank := func(a local.Address) int {
		if holdsQueue(filepath.Join(p.Nodes, strconv.Itoa(a.N))) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(found, func(a, b local.Address) int { return rank(a) - rank(b) })
	return found
}

// socketIn is the socket of the node that has this directory, or empty.
func socketIn(dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, socketFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
