package peers

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
	exchangeEvery = time.Minute
	answerEvery   = 5 * time.Second
	maxAskers     = 1024
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

// Serve is the answering side of an exchange.
func (p *Peers) Serve(from quicnet.Peer, st wire.Stream) error {
	defer func() { _ = st.CloseWrite() }()
	_ = st.SetReadDeadline(time.Now().Add(exchangeTime))
	theirs, err := wire.Recv1[wire.Peers](st)
	if err != nil {
		return err
	}
	if !p.exchanges.allow(from.ID, time.Now()) {
		err := task.Errorf(task.KindFull, "node %s asks for peers too often", from.Name)
		_ = st.Send(wire.FaultOf(err))
		return err
	}
	p.observe(from, theirs)
	return st.Send(p.advertise(from.ID))
}

// exchange tells a member what this node knows, and hears what that one knows.
// It returns where a dispatcher may be.
func (p *Peers) exchange(ctx context.Context, s *quicnet.Session) ([]Place, error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeTime)
	defer cancel()
	st, err := s.Open(ctx, wire.StreamPeers)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	_ = st.SetReadDeadline(time.Now().Add(exchangeTime))
	if err := st.Send(p.advertise(s.Peer().ID)); err != nil {
		return nil, err
	}
	_ = st.CloseWrite()
	m, err := wire.Recv1[wire.Peers](st)
	if err != nil {
		return nil, err
	}
	return p.observe(s.Peer(), m), nil
}

// KeepExchanging exchanges with the node that dispatches until the session ends.
func (p *Peers) KeepExchanging(ctx context.Context, s *quicnet.Session) {
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if _, err := p.exchange(ctx, s); err != nil && ctx.Err() == nil {
			p.log.Debug("peers were not exchanged", "peer", s.Peer().Name, "error", err)
		}
		t.Reset(time.Duration(float64(exchangeEvery) * (0.8 + 0.4*rand.Float64())))
	}
}

// advertise lists the nodes that this one is connected to, all but the one it tells.
func (p *Peers) advertise(to task.NodeID) wire.Peers {
	var m wire.Peers
	for _, s := range p.opt.Endpoint.Sessions() {
		peer := s.Peer()
		if peer.ID == to || peer.Hello.Kind != wire.PeerNode || peer.Addr == nil || len(m.Items) == wire.MaxPeers {
			continue
		}
		m.Items = append(m.Items, wire.PeerHint{
			Node: peer.ID, Name: peer.Name, Addrs: []string{peer.Addr.String()},
			Dispatches: peer.May(task.RoleDispatcher) && slices.Contains(peer.Hello.Plays, task.RoleDispatcher),
		})
	}
	return m
}

// observe takes what a member told, and returns where a dispatcher may be.
func (p *Peers) observe(from quicnet.Peer, m wire.Peers) []Place {
	mine := p.opt.Membership()
	if mine == nil {
		return nil
	}
	var where []Place
	var keep strings.Builder
	for _, s := range plausible(m, p.opt.ID, mine.ClusterID(), isLoopback(from.Addr)) {
		if p.finder != nil {
			p.finder.Observe(s)
		}
		fmt.Fprintf(&keep, "%s %s\n", s.Node, s.Addrs[0])
		if s.Dispatches {
			for _, a := range s.Addrs {
				where = append(where, Place{a.String(), s.Node})
			}
		}
	}
	if from.May(task.RoleDispatcher) {
		p.keepPeers(keep.String())
	}
	return where
}

// plausible is what of a peer's words can be true: hints about other members, with
// addresses that can be dialled from here. Loopback addresses count only from a
// peer on this machine.
func plausible(m wire.Peers, self task.NodeID, cluster string, near bool) []discover.Sighting {
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

func (p *Peers) keepPeers(text string) {
	p.exchanges.mu.Lock()
	defer p.exchanges.mu.Unlock()
	if text == "" || text == p.exchanges.kept {
		return
	}
	if err := os.WriteFile(filepath.Join(p.opt.Dir, peersFile), []byte(text), 0o600); err != nil {
		p.log.Warn("the addresses of other members could not be written down", "error", err)
		return
	}
	p.exchanges.kept = text
}

// keptPeers is what keepPeers wrote.
func keptPeers(dir string) (all []Place) {
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
			all = append(all, Place{f[1], id})
		}
	}
	return all
}

// askMembers asks a few members that are known where the dispatcher is.
func (p *Peers) askMembers(ctx context.Context) []Place {
	m := p.opt.Membership()
	if m == nil || !p.exchanges.askNow(time.Now()) {
		return nil
	}
	known := keptPeers(p.opt.Dir)
	for _, s := range p.seen.list() {
		if s.Cluster == m.ClusterID() && !s.Dispatches && len(s.Addrs) > 0 {
			known = append(known, Place{s.Addrs[0].String(), s.Node})
		}
	}
	rand.Shuffle(len(known), func(i, j int) { known[i], known[j] = known[j], known[i] })
	var where []Place
	for _, at := range known[:min(len(known), askAtOnce)] {
		where = append(where, p.askMember(ctx, at)...)
	}
	return where
}

func (p *Peers) askMember(ctx context.Context, at Place) []Place {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	s, err := p.opt.Endpoint.Dial(ctx, at.Addr, at.ID)
	if err != nil {
		return nil
	}
	defer s.Close(0, "")
	where, _ := p.exchange(ctx, s) // it need not know
	if s.Peer().May(task.RoleDispatcher) {
		where = append(where, at)
	}
	return where
}
