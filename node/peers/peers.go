package peers

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/home"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/discover"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Options are what a node tells of itself. All are required, but for HasCode and
// Silent.
type Options struct {
	Config     *config.Config
	ID         task.NodeID
	Dir        string // the node's directory
	Endpoint   *quicnet.Endpoint
	Membership func() *trust.Membership // nil while the node is no member
	Self       func() discover.Self
	Changed    func() // something may have ended the wait for a dispatcher
	Logger     *slog.Logger

	HasCode bool // a person gave a code to join with
	Silent  bool // look for nobody and be found by nobody

	// OnThisMachine asks this user's other nodes on this machine for the
	// dispatcher, and becomes a member by that if this node is none.
	OnThisMachine func(ctx context.Context) (wire.Enrolled, error)
	// Join makes this node a member, by its code, at one of the places.
	Join func(ctx context.Context, places []Place) error
}

// Peers is what one node knows of others. It is safe for concurrent use. A nil one,
// of a node without a network, knows nobody.
type Peers struct {
	opt       Options
	log       *slog.Logger
	finder    *discover.Finder // nil: this node looks for nobody
	seen      seenList
	exchanges exchanges
}

// New makes the peers of a node. Run lets it look for them.
func New(opt Options) *Peers {
	p := &Peers{opt: opt, log: opt.Logger}
	if opt.Silent {
		return p
	}
	p.finder = discover.New(discover.Config{
		Self:      opt.Self,
		Socket:    opt.Endpoint,
		Seeds:     p.seeds,
		Resolve:   quicnet.Lookup,
		Connected: func() int { return len(opt.Endpoint.Sessions()) },
		ProbePort: uint16(opt.Config.DiscoveryPort),
		DialPort:  uint16(opt.Config.DispatcherPort),
		Logger:    opt.Logger,
	})
	return p
}

// Run looks for other nodes until ctx ends.
func (p *Peers) Run(ctx context.Context) {
	if p.finder == nil {
		return
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { _ = p.finder.Run(ctx) })
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-p.finder.Sightings():
			p.enter(s)
		}
	}
}

// SelfChanged tells others at once what this node now says of itself.
func (p *Peers) SelfChanged() {
	if p.finder != nil {
		p.finder.Changed()
	}
}

// enter keeps a sighting. One that may end this node's wait for a
// dispatcher ends it.
func (p *Peers) enter(s discover.Sighting) {
	if s.Node == "" || s.Node == p.opt.ID {
		return
	}
	s.At = time.Now()
	now, news, others, tell := p.seen.add(s)
	if tell {
		p.log.Info("seen on the network", "node", now.Name, "id", now.Node.Short(), "dispatches", now.Dispatches, "asks", now.Asks, "via", string(now.Via), "others before it", others)
	}
	if news {
		p.opt.Changed()
	}
}

// Strangers is what a person is shown of nodes that were seen. leads says that
// this node dispatches, and so knows its members itself.
func (p *Peers) Strangers(leads bool) []control.Node {
	if p == nil {
		return nil
	}
	var all []control.Node
	own := p.cluster()
	for _, s := range p.seen.list() {
		c := control.Node{ID: s.Node, Name: s.Name, State: control.NodeForeign, Seen: s.At.UnixMilli()}
		switch {
		case s.Asks:
			c.State = control.NodeAsks
		case s.Cluster == own && own != "" && !leads:
			c.State = control.NodeUp
		}
		if len(s.Addrs) > 0 {
			c.Addr = s.Addrs[0].String()
		}
		if s.Dispatches {
			c.Doing = []string{"dispatcher"}
		}
		all = append(all, c)
	}
	return all
}

// Applicants lists nodes seen on the network that want to be members.
func (p *Peers) Applicants() []discover.Sighting {
	if p == nil {
		return nil
	}
	var all []discover.Sighting
	for _, s := range p.seen.list() {
		if s.Asks {
			all = append(all, s)
		}
	}
	return all
}

// cluster is the cluster of this node; empty when it is no member.
func (p *Peers) cluster() string {
	if m := p.opt.Membership(); m != nil {
		return m.ClusterID()
	}
	return ""
}

// Problems says which ways of finding nodes do not work here.
func (p *Peers) Problems() []control.Problem {
	if p == nil || p.finder == nil {
		return nil
	}
	var all []control.Problem
	for _, f := range p.finder.Facts() {
		if f.OK {
			continue
		}
		text := "finding nodes by " + string(f.Rung)
		if f.Interface != "" {
			text += " on " + f.Interface
		}
		level := control.LevelInfo
		if f.Rung == discover.ByAddress { // somebody asked for it
			level = control.LevelWarning
		}
		all = append(all, control.Problem{
			ID: strings.TrimSuffix("discovery/"+string(f.Rung)+" "+f.Interface, " "), Level: level, Text: text + ": " + f.Words, Cure: f.Hint,
		})
	}
	return all
}

// Tried says on which interface nodes were looked for in which way, one line each.
func (p *Peers) Tried() []string {
	var ways []string
	for _, f := range p.finder.Facts() {
		if f.Interface != "" {
			ways = append(ways, fmt.Sprintf("%s on %s: %s", f.Rung, f.Interface, f.Words))
		}
	}
	if len(ways) == 0 {
		ways = []string{"no network interface is up"}
	}
	return ways
}

// seeds are the addresses that a person gave, and where the dispatcher was.
func (p *Peers) seeds() []string {
	if p.opt.Config.Dispatcher != "" {
		return []string{p.opt.Config.Dispatcher}
	}
	_, addrs := home.NotedDispatcher(p.opt.Dir)
	return addrs
}

// maxReachable is how many addresses of this machine others are told, beside the
// loopback's.
const maxReachable = 14

// Reachable is where others may reach a socket: its port at every address of
// this machine, loopback last.
func Reachable(conn net.PacketConn) []string {
	port, bound := portOf(conn)
	if port == "" {
		return []string{bound}
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
		} else if len(out) < maxReachable {
			out = append(out, to)
		}
	}
	return append(out, loop...)
}

// OnLoopback is where a node on this machine reaches a socket of another one here.
func OnLoopback(conn net.PacketConn) []string {
	port, bound := portOf(conn)
	if port == "" {
		return []string{bound}
	}
	return []string{net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port)}
}

// portOf is the port of a socket that listens on all addresses, or else the one
// address that it is bound to.
func portOf(conn net.PacketConn) (port, bound string) {
	address, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		return "", conn.LocalAddr().String()
	}
	port = strconv.Itoa(address.Port)
	if !address.IP.IsUnspecified() {
		return "", net.JoinHostPort(address.IP.String(), port)
	}
	return port, ""
}
