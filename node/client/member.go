package client

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/home"
	"github.com/adauldev/octaskly/node/peers"
	"github.com/adauldev/octaskly/node/remote"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// member is a program that speaks for a node of this user that does not run: it
// dials the dispatcher with that node's membership.
type member struct {
	*remote.Client
	slot     *home.Slot
	conn     net.PacketConn
	endpoint *quicnet.Endpoint
	places   []peers.Place
	cancel   context.CancelFunc
	wg       sync.WaitGroup

	mu      sync.Mutex
	current *quicnet.Session
}

var _ io.Closer = (*member)(nil)

// dialAsMember reaches the dispatcher without a running node. The error is of
// KindNoDispatcher when this user is a member of nothing.
func dialAsMember(ctx context.Context, cfg *config.Config, p config.Paths, version string) (*member, error) {
	slot, membership, err := freeMembership(p)
	if err != nil {
		return nil, err
	}
	c := &member{slot: slot}
	if c.conn, err = peers.Listen("", 0); err != nil {
		slot.Release()
		return nil, err
	}
	if addr := peers.DispatcherAddr(cfg); addr != "" {
		c.places = []peers.Place{{Addr: addr}}
	} else {
		c.places = peers.PlacesOf(home.NotedDispatcher(slot.Path()))
	}
	c.endpoint = quicnet.New(quicnet.Config{
		Conn: c.conn, DialOnly: true, Logger: slog.New(slog.DiscardHandler),
		Membership: func() *trust.Membership { return membership },
		Hello:      func() wire.Hello { return wire.Hello{Kind: wire.PeerClient, Build: version} },
	})
	run, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	c.wg.Go(func() { _ = c.endpoint.Run(run) })
	c.Client = remote.NewClient(c, remote.Options{})
	if _, err := c.session(ctx); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// freeMembership takes a node directory of this user that has a membership and
// whose node does not run.
func freeMembership(p config.Paths) (*home.Slot, *trust.Membership, error) {
	for _, place := range home.Places(p.Nodes) {
		if !home.HoldsMembership(place.Dir) {
			continue
		}
		slot, err := home.Open(place.Dir, place.Number)
		if err != nil {
			continue
		}
		id, err := slot.Identity()
		if err == nil {
			var m *trust.Membership
			if m, err = slot.LoadMembership(id); err == nil {
				return slot, m, nil
			}
		}
		slot.Release()
	}
	return nil, nil, control.NoDispatcher()
}

// session is the session to the dispatcher, made anew when it ended.
func (c *member) session(ctx context.Context) (*quicnet.Session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current != nil && c.current.Err() == nil {
		return c.current, nil
	}
	var last error
	var tried []string
	for _, p := range c.places {
		s, err := c.endpoint.Dial(ctx, p.Addr, p.ID)
		if err == nil && !s.Peer().May(task.RoleDispatcher) {
			s.Close(0, "not a dispatcher")
			err = task.Errorf(task.KindNotAllowed, "the node at %s may not dispatch in this cluster", p.Addr)
		}
		if err == nil {
			c.current = s
			return s, nil
		}
		last = err
		tried = append(tried, fmt.Sprintf("%s: %v", p.Addr, err))
	}
	if last == nil {
		return nil, control.NoDispatcher()
	}
	if k := task.KindOf(last); k == task.KindNotAllowed || k == task.KindConflict {
		return nil, last
	}
	return nil, task.Errorf(task.KindNoDispatcher, "the dispatcher does not answer").
		WithHint("tried:\n%s\nis it running?    octaskly status   (there)\nis it elsewhere?  octaskly --dispatcher HOST …", strings.Join(tried, "\n"))
}

var _ remote.Opener = (*member)(nil)

// OpenRPC opens a stream to the dispatcher, over a new session if the last one ended.
func (c *member) OpenRPC(ctx context.Context) (wire.Stream, error) {
	s, err := c.session(ctx)
	if err != nil {
		return nil, err
	}
	return s.Open(ctx, wire.StreamRPC)
}

// Close ends the calls, the session and the socket.
func (c *member) Close() error {
	_ = c.Client.Close()
	c.mu.Lock()
	if c.current != nil {
		c.current.Close(quicnet.CodeLeaving, "done")
	}
	c.mu.Unlock()
	c.cancel()
	c.wg.Wait()
	err := c.conn.Close()
	c.slot.Release()
	return err
}
