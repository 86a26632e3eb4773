// Package peers is who is where: what is seen on the network, what members tell
// each other of it, and the way to the node that dispatches. All of it is hints:
// who answers at an address has to show its certificate.
package peers

import (
	"net"
	"slices"
	"strconv"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/queue/task"
)

// Place is where a dispatcher may be.
type Place struct {
	Addr string
	ID   task.NodeID // who must answer there; empty is any dispatcher of the cluster
}

// PlacesOf is one node at each of its addresses.
func PlacesOf(id task.NodeID, addrs []string) []Place {
	var all []Place
	for _, a := range addrs {
		all = append(all, Place{a, id})
	}
	return all
}

// contains reports whether one of the addresses is among the places.
func contains(places []Place, addrs ...string) bool {
	return slices.ContainsFunc(places, func(p Place) bool { return slices.Contains(addrs, p.Addr) })
}

// DispatcherAddr is the configured address with its port; empty when there is none.
func DispatcherAddr(c *config.Config) string {
	if c.Dispatcher == "" {
		return ""
	}
	if _, _, err := net.SplitHostPort(c.Dispatcher); err == nil {
		return c.Dispatcher
	}
	port := c.DispatcherPort
	if port == 0 {
		port = config.DefaultPort
	}
	return net.JoinHostPort(c.Dispatcher, strconv.Itoa(port))
}
