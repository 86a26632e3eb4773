package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/remote"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// client is a program that speaks for a node of this user that does not run: it
// dials the dispatcher with that node's membership.
type client struct {
	slot   *slot
	conn   net.PacketConn
	ep     *quicnet.Endpoint
	places []place
	cancel context.CancelFunc
	wg     sync.WaitGroup
	*remote.Client

	mu sync.Mutex
	s  *quicnet.Session
}

var _ io.Closer = (*client)(nil)

// dialAsMember reaches the dispatcher without a running node. The error is of
// KindNoDispatcher when this user is a member of nothing.
func dialAsMember(ctx context.Context, cfg *config.Config, p config.Paths, version string) (control.Control, io.Closer, error) {
	s, m, err := freeMembership(p)
	if err != nil {
		return nil, nil, err
	}
	c := &client{slot: s}
	if c.conn, err = listenUDP("", 0); err != nil {
		s.release()
		return nil, nil, err
	}
	if cfg.Dispatcher != "" {
		c.places = []place{{addr: dispatcherAddr(cfg)}}
	} else {
		id, addrs := remembered(s.Path())
		for _, a := range addrs {
			c.places = append(c.places, place{a, id})
		}
	}
	c.ep = quicnet.New(quicnet.Config{
		Conn: c.conn, DialOnly: true, Logger: slog.New(slog.DiscardHandler),
		Membership: func() *trust.Membership { return m },
		Hello:      func() wire.Hello { return wire.Hello{Kind: wire.PeerClient, Build: version} },
	})
	run, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	c.wg.Go(func() { _ = c.ep.Run(run) })
	c.Client = remote.NewClient(c, remote.Options{})
	if _, err := c.session(ctx); err != nil {
		_ = c.Close()
		return nil, nil, err
	}
	return c, c, nil
}

// freeMembership takes a node directory of this user that has a membership and
// whose node does not run.
func freeMembership(p config.Paths) (*slot, *trust.Membership, error) {
	entries, _ := os.ReadDir(p.Nodes)
	for _, e := range entries {
		number, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		dir := filepath.Join(p.Nodes, e.Name())
		if _, err := os.Stat(filepath.Join(dir, "membership")); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		s, err := openSlot(dir, number)
		if err != nil {
			continue
		}
		id, err := s.Identity()
		if err == nil {
			var m *trust.Membership
			if m, err = s.LoadMembership(id); err == nil {
				return s, m, nil
			}
		}
		s.release()
	}
	return nil, nil, errNoDispatcher()
}

// session is the session to the dispatcher, made anew when it ended.
func (c *client) session(ctx context.Context) (*quicnet.Session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.s != nil && c.s.Err() == nil {
		return c.s, nil
	}
	var last error
	var tried []string
	for _, p := range c.places {
		s, err := c.ep.Dial(ctx, p.addr, p.id)
		if err == nil && !s.Peer().May(task.RoleDispatcher) {
			s.Close(0, "not a dispatcher")
			err = task.Errorf(task.KindNotAllowed, "the node at %s may not dispatch in this cluster", p.addr)
		}
		if err == nil {
			c.s = s
			return s, nil
		}
		last = err
		tried = append(tried, fmt.Sprintf("%s: %v", p.addr, err))
	}
	if last == nil {
		return nil, errNoDispatcher()
	}
	if k := task.KindOf(last); k == task.KindNotAllowed || k == task.KindConflict {
		return nil, last
	}
	return nil, task.Errorf(task.KindNoDispatcher, "the dispatcher does not answer").
		WithHint("tried:\n%s\nis it running?    octaskly status   (there)\nis it elsewhere?  octaskly --dispatcher HOST …", joinLines(tried))
}

func (c *client) OpenRPC(ctx context.Context) (wire.Stream, error) {
	s, err := c.session(ctx)
	if err != nil {
		return nil, err
	}
	return s.Open(ctx, wire.StreamRPC)
}

// Close ends the calls, the session and the socket.
func (c *client) Close() error {
	_ = c.Client.Close()
	c.mu.Lock()
	if c.s != nil {
		c.s.Close(quicnet.CodeLeaving, "done")
	}
	c.mu.Unlock()
	c.cancel()
	c.wg.Wait()
	err := c.conn.Close()
	c.slot.release()
	return err
}
