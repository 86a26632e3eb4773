package peers

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/home"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
)

// FindDispatcher tries every way to the node that dispatches: the address that
// was given, else the nodes of this user on this machine, where it was last,
// and what was seen on the network.
func (p *Peers) FindDispatcher(ctx context.Context) (*quicnet.Session, error) {
	places, why := p.Places(ctx)
	switch m := p.opt.Membership(); {
	case m == nil:
		if err := p.opt.Join(ctx, places); err != nil {
			return nil, errors.Join(why, err)
		}
	case p.opt.HasCode && m.Ended(time.Now()):
		if err := p.opt.Join(ctx, places); err != nil { // it may still be renewed
			p.log.Warn("the membership has ended, and the code did not help", "error", err)
		}
	}
	last := why
	if last == nil {
		last = control.NoDispatcher()
	}
	if len(places) == 0 {
		places = p.askMembers(ctx)
	}
	for tried := 0; len(places) > 0 && tried < maxTried && ctx.Err() == nil; tried++ {
		at := places[0]
		places = places[1:]
		s, hints, err := p.dialWithin(ctx, at)
		if err == nil {
			p.Remember(s.Peer().ID, []string{at.Addr})
			return s, nil
		}
		last = err
		for _, h := range hints {
			if h.Addr != at.Addr && !contains(places, h.Addr) {
				places = append(places, h)
			}
		}
		if len(places) == 0 {
			places = p.askMembers(ctx)
		}
		// A dispatcher that was restarted here meanwhile is at another port.
		if p.opt.Config.Dispatcher != "" {
			continue
		}
		if here, err := p.opt.OnThisMachine(ctx); err == nil && !contains(places, here.Addrs...) && !slices.Contains(here.Addrs, at.Addr) {
			places = append(PlacesOf(task.NodeID(here.Dispatcher), here.Addrs), places...)
		}
	}
	return nil, last
}

// Remember writes down where the dispatcher is, for the next start.
func (p *Peers) Remember(id task.NodeID, addrs []string) {
	if err := home.NoteDispatcher(p.opt.Dir, id, addrs); err != nil {
		p.log.Warn("the next start has to look for the dispatcher", "error", err)
	}
}

// maxTried is how many places are tried before this node looks anew: anybody on
// the network can make places up.
const maxTried = 16

// dialTime is how long one place is tried: it may be dead, and another be alive.
const dialTime = 2 * time.Second

func (p *Peers) dialWithin(ctx context.Context, at Place) (*quicnet.Session, []Place, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	return p.dialDispatcher(ctx, at.Addr, at.ID)
}

// Places lists where the dispatcher may be. Asking on this machine makes this
// node a member if the dispatcher is here.
func (p *Peers) Places(ctx context.Context) ([]Place, error) {
	if p.opt.Config.Dispatcher != "" {
		if p.opt.Membership() == nil && !p.opt.HasCode {
			_, _ = p.opt.OnThisMachine(ctx)
		}
		return []Place{{Addr: DispatcherAddr(p.opt.Config)}}, nil
	}
	here, err := p.opt.OnThisMachine(ctx)
	all := PlacesOf(task.NodeID(here.Dispatcher), here.Addrs)
	last := PlacesOf(home.NotedDispatcher(p.opt.Dir))
	for _, at := range slices.Concat(last, p.dispatchersSeen()) { // what was seen comes last: whoever is on the network can claim to be one
		if !contains(all, at.Addr) {
			all = append(all, at)
		}
	}
	return all, err
}

// dialDispatcher connects to an address and makes sure that a dispatcher
// answers there. A member that answers and is none is asked where one is.
func (p *Peers) dialDispatcher(ctx context.Context, addr string, want task.NodeID) (*quicnet.Session, []Place, error) {
	s, err := p.opt.Endpoint.Dial(ctx, addr, want)
	if err != nil {
		return nil, nil, err
	}
	peer := s.Peer()
	if peer.May(task.RoleDispatcher) {
		return s, nil, nil
	}
	if slices.Contains(peer.Hello.Plays, task.RoleDispatcher) || want != "" {
		p.log.Warn("audit: a node without the role tried to dispatch", "peer", peer.Name, "id", string(peer.ID))
	}
	hints, _ := p.exchange(ctx, s) // it need not know
	s.Close(0, "not a dispatcher")
	return nil, hints, task.Errorf(task.KindNotAllowed, "node %s at %s may not dispatch in this cluster", peer.Name, addr)
}
