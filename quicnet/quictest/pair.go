package quictest

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Cluster is an authority that makes members for a test.
type Cluster struct {
	CA *trust.CA
}

// NewCluster makes a cluster.
func NewCluster(t testing.TB) *Cluster {
	t.Helper()
	ca, err := trust.NewCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return &Cluster{CA: ca}
}

// Member makes a new node with these roles; none means worker and client.
func (c *Cluster) Member(t testing.TB, roles ...task.Role) *trust.Membership {
	t.Helper()
	id, err := trust.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	if len(roles) == 0 {
		roles = []task.Role{task.RoleWorker, task.RoleClient}
	}
	m, err := c.CA.Enrol(id, roles, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Node is a running Endpoint.
type Node struct {
	*quicnet.Endpoint
	Membership *trust.Membership
	Addr       string
	conn       net.PacketConn
	stop       context.CancelFunc
	done       chan struct{}
	killed     atomic.Bool // Kill takes the socket away: that Run then fails is as it should be
	once       sync.Once
}

// Start runs an Endpoint as the member m on conn until the test ends or Stop.
// edit may change the configuration before; it may be nil.
func Start(t testing.TB, conn net.PacketConn, m *trust.Membership, edit func(*quicnet.Config)) *Node {
	t.Helper()
	cfg := quicnet.Config{
		Conn:       conn,
		Membership: func() *trust.Membership { return m },
	}
	boot := ""
	if m != nil {
		boot = m.ID().Short() + "-" + time.Now().Format("150405.000000000")
	}
	cfg.Hello = func() wire.Hello {
		return wire.Hello{Kind: wire.PeerNode, Name: conn.LocalAddr().String(), Boot: boot}
	}
	if edit != nil {
		edit(&cfg)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n := &Node{Endpoint: quicnet.New(cfg), Membership: m, Addr: conn.LocalAddr().String(), conn: conn, stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(n.done)
		if err := n.Run(ctx); err != nil && !n.killed.Load() {
			t.Errorf("endpoint %s: %v", n.Addr, err)
		}
	}()
	t.Cleanup(n.Stop)
	return n
}

// Stop ends the Endpoint in good order and closes its socket.
func (n *Node) Stop() {
	n.once.Do(func() {
		n.stop()
		<-n.done
		_ = n.conn.Close()
	})
}

// Kill closes the socket first, so that peers hear nothing, as after kill -9.
func (n *Node) Kill() {
	n.killed.Store(true)
	_ = n.conn.Close()
	n.Stop()
}

// Pair is two sessions that talk to each other: the dialling side's and the
// accepting side's. They last until the test ends.
func Pair(t testing.TB, lan *LAN) (dialed, accepted *quicnet.Session) {
	t.Helper()
	c := NewCluster(t)
	return PairOn(t, c, listen(t, lan, "10.0.0.1:7878"), listen(t, lan, "10.0.0.2:7878"))
}

// PairOn is Pair over given sockets; the first one dials.
func PairOn(t testing.TB, c *Cluster, a, b net.PacketConn) (dialed, accepted *quicnet.Session) {
	t.Helper()
	got := make(chan *quicnet.Session, 1)
	nb := Start(t, b, c.Member(t, task.RoleDispatcher), func(cfg *quicnet.Config) {
		cfg.OnSession = func(_ context.Context, s *quicnet.Session) {
			got <- s
			<-s.Done()
		}
	})
	na := Start(t, a, c.Member(t), nil)
	dialed, err := na.Dial(t.Context(), nb.Addr, nb.Membership.ID())
	if err != nil {
		t.Fatal(err)
	}
	return dialed, <-got
}

func listen(t testing.TB, lan *LAN, addr string) net.PacketConn {
	t.Helper()
	s, err := lan.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
