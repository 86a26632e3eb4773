package node

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/discover"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Members tell each other where the members are that they are connected to
// themselves; nobody passes on what it was only told. What is heard is a hint
// like any other: whoever answers there has to show its certificate.

// How often members tell each other, and how often one of them may ask.
const (
	tellEvery   = time.Minute
	answerEvery = 5 * time.Second
	maxAskers   = 1024
)

// exchangeTime is how long one exchange may take.
const exchangeTime = 3 * time.Second

// How a node without a dispatcher asks members where it is: how many of them
// for one question, and how often at most.
const (
	askAtOnce = 4
	askEvery  = 5 * time.Second
)

// exchanges bounds what members may ask, and what this node asks.
type exchanges struct {
	mu    sync.Mutex
	asked map[task.NodeID]time.Time // when each peer was answered last
	ours  time.Time                 // when this node asked around last
	kept  string                    // what stands in peersFile
}

// allow reports whether a peer may be answered now.
func (x *exchanges) allow(id task.NodeID, now time.Time) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if last, known := x.asked[id]; known && now.Sub(last) < answerEvery {
		return false
	}
	if x.asked == nil || len(x.asked) >= maxAskers {
		x.asked = make(map[task.NodeID]time.Time)
	}
	x.asked[id] = now
	return true
}

// askNow reports whether this node may ask around now.
func (x *exchanges) askNow(now time.Time) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if now.Sub(x.ours) < askEvery {
		return false
	}
	x.ours = now
	return true
}

// answerPeers is the answering side of an exchange.
func (n *Node) answerPeers(p quicnet.Peer, st wire.Stream) error {
	defer func() { _ = st.CloseWrite() }()
	_ = st.SetReadDeadline(time.Now().Add(exchangeTime))
	theirs, err := wire.Recv1[wire.Peers](st)
	if err != nil {
		return err
	}
	if !n.exchanges.allow(p.ID, time.Now()) {
		err := task.Errorf(task.KindFull, "node %s asks for peers too often", p.Name)
		_ = st.Send(wire.FaultOf(err))
		return err
	}
	n.hear(p, theirs)
	return st.Send(n.tell(p.ID))
}

// exchange tells a member what this node knows, and hears what that one knows.
// It returns where a dispatcher may be.
func (n *Node) exchange(ctx context.Context, s *quicnet.Session) ([]place, error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeTime)
	defer cancel()
	st, err := s.Open(ctx, wire.StreamPeers)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	_ = st.SetReadDeadline(time.Now().Add(exchangeTime))
	if err := st.Send(n.tell(s.Peer().ID)); err != nil {
		return nil, err
	}
	_ = st.CloseWrite()
	m, err := wire.Recv1[wire.Peers](st)
	if err != nil {
		return nil, err
	}
	return n.hear(s.Peer(), m), nil
}

// keepTelling exchanges with the node that dispatches until the session ends.
func (n *Node) keepTelling(ctx context.Context, s *quicnet.Session) {
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if _, err := n.exchange(ctx, s); err != nil && ctx.Err() == nil {
			n.log.Debug("peers were not exchanged", "peer", s.Peer().Name, "error", err)
		}
		t.Reset(time.Duration(float64(tellEvery) * (0.8 + 0.4*rand.Float64())))
	}
}

// tell lists the nodes that this one is connected to, all but the one it tells.
func (n *Node) tell(to task.NodeID) wire.Peers {
	var m wire.Peers
	for _, s := range n.ep.Sessions() {
		p := s.Peer()
		if p.ID == to || p.Hello.Kind != wire.PeerNode || p.Addr == nil || len(m.Items) == wire.MaxPeers {
			continue
		}
		m.Items = append(m.Items, wire.PeerHint{
			Node: p.ID, Name: p.Name, Addrs: []string{p.Addr.String()},
			Dispatches: p.May(task.RoleDispatcher) && slices.Contains(p.Hello.Plays, task.RoleDispatcher),
		})
	}
	return m
}

// hear takes what a member told, and returns where a dispatcher may be.
func (n *Node) hear(from quicnet.Peer, m wire.Peers) []place {
	mine := n.membership.Load()
	if mine == nil {
		return nil
	}
	var where []place
	var keep strings.Builder
	for _, s := range credible(m, n.id.ID(), mine.ClusterID(), isLoopback(from.Addr)) {
		if n.peers.finder != nil {
			n.peers.finder.Heard(s)
		}
		fmt.Fprintf(&keep, "%s %s\n", s.Node, s.Addrs[0])
		if s.Dispatches {
			for _, a := range s.Addrs {
				where = append(where, place{a.String(), s.Node})
			}
		}
	}
	if from.May(task.RoleDispatcher) {
		n.keepPeers(keep.String())
	}
	return where
}

// credible is what of a peer's words can be true: hints about other members, with
// addresses that can be dialled from here. Loopback addresses count only from a
// peer on this machine.
func credible(m wire.Peers, self task.NodeID, cluster string, near bool) []discover.Sighting {
	var all []discover.Sighting
	for _, h := range m.Items[:min(len(m.Items), wire.MaxPeers)] {
		id, err := trust.ParseNodeID(string(h.Node))
		if err != nil || id == self || h.SeenAgo < 0 || h.SeenAgo > seenFor.Milliseconds() {
			continue
		}
		s := discover.Sighting{Self: discover.Self{Node: id, Cluster: cluster, Name: h.Name, Version: wire.MinVersion, Dispatches: h.Dispatches}}
		for _, t := range h.Addrs[:min(len(h.Addrs), wire.MaxPeerAddrs)] {
			a, err := netip.ParseAddrPort(t)
			a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
			if err != nil || a.Port() == 0 || a.Addr().IsUnspecified() || a.Addr().IsMulticast() || a.Addr().IsLoopback() && !near {
				continue
			}
			s.Addrs = append(s.Addrs, a)
		}
		if len(s.Addrs) > 0 {
			s.Port = s.Addrs[0].Port()
			all = append(all, s)
		}
	}
	return all
}

func isLoopback(a net.Addr) bool {
	u, ok := a.(*net.UDPAddr)
	return ok && u.IP.IsLoopback()
}

// peersFile holds where other members were last, for a start after which the
// dispatcher is somewhere else: a node id and an address a line.
const peersFile = "peers"

func (n *Node) keepPeers(text string) {
	n.exchanges.mu.Lock()
	defer n.exchanges.mu.Unlock()
	if text == "" || text == n.exchanges.kept {
		return
	}
	if err := os.WriteFile(filepath.Join(n.slot.Path(), peersFile), []byte(text), 0o600); err != nil {
		n.log.Warn("the addresses of other members could not be written down", "error", err)
		return
	}
	n.exchanges.kept = text
}

// keptPeers is what keepPeers wrote.
func keptPeers(dir string) (all []place) {
	b, err := os.ReadFile(filepath.Join(dir, peersFile))
	if err != nil || len(b) > 64<<10 {
		return nil
	}
	for l := range strings.Lines(string(b)) {
		f := strings.Fields(l)
		if len(f) != 2 {
			continue
		}
		id, err := trust.ParseNodeID(f[0])
		if _, aerr := netip.ParseAddrPort(f[1]); errors.Join(err, aerr) == nil {
			all = append(all, place{f[1], id})
		}
	}
	return all
}

// askMembers asks a few members that are known where the dispatcher is.
func (n *Node) askMembers(ctx context.Context) []place {
	m := n.membership.Load()
	if m == nil || !n.exchanges.askNow(time.Now()) {
		return nil
	}
	known := keptPeers(n.slot.Path())
	for _, s := range n.peers.look() {
		if s.Cluster == m.ClusterID() && !s.Dispatches && len(s.Addrs) > 0 {
			known = append(known, place{s.Addrs[0].String(), s.Node})
		}
	}
	rand.Shuffle(len(known), func(i, j int) { known[i], known[j] = known[j], known[i] })
	var where []place
	for _, p := range known[:min(len(known), askAtOnce)] {
		where = append(where, n.askMember(ctx, p)...)
	}
	return where
}

func (n *Node) askMember(ctx context.Context, p place) []place {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	s, err := n.ep.Dial(ctx, p.addr, p.id)
	if err != nil {
		return nil
	}
	defer s.Close(0, "")
	where, _ := n.exchange(ctx, s) // it need not know
	if s.Peer().May(task.RoleDispatcher) {
		where = append(where, p)
	}
	return where
}
