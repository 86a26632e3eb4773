package node

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/trust"
)

// place is where the dispatcher may be.
type place struct {
	addr string
	id   task.NodeID // who must answer there; empty is any dispatcher of the cluster
}

// findDispatcher tries every way to the node that dispatches: the address that
// was given, else the nodes of this user on this machine, where it was last,
// and what was seen on the network.
func (n *Node) findDispatcher(ctx context.Context) (*quicnet.Session, error) {
	places, why := n.places(ctx)
	if n.membership.Load() == nil {
		if err := n.becomeMember(ctx, places); err != nil {
			return nil, errors.Join(why, err)
		}
	}
	last := why
	if last == nil {
		last = errNoDispatcher()
	}
	if len(places) == 0 {
		places = n.askMembers(ctx)
	}
	for tried := 0; len(places) > 0 && tried < maxTried && ctx.Err() == nil; tried++ {
		p := places[0]
		places = places[1:]
		s, told, err := n.dialWithin(ctx, p)
		if err == nil {
			n.remember(s.Peer().ID, []string{p.addr})
			return s, nil
		}
		last = err
		for _, t := range told {
			if t.addr != p.addr && !contains(places, []string{t.addr}) {
				places = append(places, t)
			}
		}
		if len(places) == 0 {
			places = n.askMembers(ctx)
		}
		// A dispatcher that was restarted here meanwhile is at another port.
		if n.cfg.Dispatcher != "" {
			continue
		}
		if at, err := n.enrolHere(ctx); err == nil && !contains(places, at.Addrs) && !slices.Contains(at.Addrs, p.addr) {
			for _, a := range at.Addrs {
				places = append([]place{{a, task.NodeID(at.Dispatcher)}}, places...)
			}
		}
	}
	return nil, last
}

// maxTried is how many places are tried before this node looks anew: anybody on
// the network can make places up.
const maxTried = 16

// dialTime is how long one place is tried: it may be dead, and another be alive.
const dialTime = 2 * time.Second

func (n *Node) dialWithin(ctx context.Context, p place) (*quicnet.Session, []place, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	return n.dialDispatcher(ctx, p.addr, p.id)
}

// contains reports whether one of the addresses is among the places.
func contains(places []place, addrs []string) bool {
	return slices.ContainsFunc(places, func(p place) bool { return slices.Contains(addrs, p.addr) })
}

// places lists where the dispatcher may be. Asking on this machine makes this
// node a member if the dispatcher is here.
func (n *Node) places(ctx context.Context) ([]place, error) {
	if n.cfg.Dispatcher != "" {
		if n.membership.Load() == nil && n.opt.Join == "" {
			_, _ = n.enrolHere(ctx)
		}
		return []place{{addr: dispatcherAddr(n.cfg)}}, nil
	}
	var all []place
	at, err := n.enrolHere(ctx)
	for _, a := range at.Addrs {
		all = append(all, place{a, task.NodeID(at.Dispatcher)})
	}
	id, addrs := remembered(n.slot.Path())
	for _, a := range addrs {
		if !contains(all, []string{a}) {
			all = append(all, place{a, id})
		}
	}
	for _, p := range n.dispatchersSeen() { // last: whoever is on the network can claim to be one
		if !contains(all, []string{p.addr}) {
			all = append(all, p)
		}
	}
	return all, err
}

// becomeMember uses the code that this node was given, if any.
func (n *Node) becomeMember(ctx context.Context, places []place) error {
	if n.opt.Join == "" {
		return task.Errorf(task.KindNotAllowed, "this node is not a member of a cluster yet").
			WithHint("let it in where the dispatcher is: octaskly nodes admit CODE\nthe code: octaskly identity")
	}
	code, err := trust.ParseCode(n.opt.Join)
	if err != nil {
		return err
	}
	return n.joinWith(ctx, code, places)
}

// dialDispatcher connects to an address and makes sure that a dispatcher
// answers there. A member that answers and is none is asked where one is.
func (n *Node) dialDispatcher(ctx context.Context, addr string, want task.NodeID) (*quicnet.Session, []place, error) {
	s, err := n.ep.Dial(ctx, addr, want)
	if err != nil {
		return nil, nil, err
	}
	p := s.Peer()
	if p.May(task.RoleDispatcher) {
		return s, nil, nil
	}
	if slices.Contains(p.Hello.Plays, task.RoleDispatcher) || want != "" {
		n.log.Warn("audit: a node without the role tried to dispatch", "peer", p.Name, "id", string(p.ID))
	}
	told, _ := n.exchange(ctx, s) // it need not know
	s.Close(0, "not a dispatcher")
	return nil, told, task.Errorf(task.KindNotAllowed, "node %s at %s may not dispatch in this cluster", p.Name, addr)
}

// dispatcherAddr is the configured address with its port.
func dispatcherAddr(c *config.Config) string {
	if _, _, err := net.SplitHostPort(c.Dispatcher); err == nil {
		return c.Dispatcher
	}
	port := c.DispatcherPort
	if port == 0 {
		port = config.DefaultPort
	}
	return net.JoinHostPort(c.Dispatcher, strconv.Itoa(port))
}

// reachable is where others may reach this node: its port at every address of
// this machine, loopback last.
func (n *Node) reachable() []string {
	a, ok := n.conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		return []string{n.conn.LocalAddr().String()}
	}
	port := strconv.Itoa(a.Port)
	if !a.IP.IsUnspecified() {
		return []string{net.JoinHostPort(a.IP.String(), port)}
	}
	var out, loop []string
	addrs, _ := net.InterfaceAddrs() // hidden on some systems: then nobody is told
	for _, ia := range addrs {
		ip, ok := ia.(*net.IPNet)
		if !ok || ip.IP.IsLinkLocalUnicast() || ip.IP.IsMulticast() {
			continue
		}
		to := net.JoinHostPort(ip.IP.String(), port)
		if ip.IP.IsLoopback() {
			loop = append(loop, to)
		} else if len(out) < 14 {
			out = append(out, to)
		}
	}
	return append(out, loop...)
}
