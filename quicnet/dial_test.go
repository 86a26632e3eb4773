package quicnet_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/quictest"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// hold keeps accepted sessions until they end.
func hold(cfg *quicnet.Config) {
	cfg.OnSession = func(_ context.Context, s *quicnet.Session) { <-s.Done() }
}

func TestDialErrorsSayWhatHappened(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan, c, other := quictest.NewLAN(1), quictest.NewCluster(t), quictest.NewCluster(t)
		a := quictest.Start(t, sock(t, lan, "10.0.0.1:7878"), c.Member(t), hold)
		member := quictest.Start(t, sock(t, lan, "10.0.0.2:7878"), c.Member(t), hold)
		foreign := quictest.Start(t, sock(t, lan, "10.0.0.3:7878"), other.Member(t), hold)
		apart := quictest.Start(t, sock(t, lan, "10.0.0.4:7878"), nil, hold)
		full := quictest.Start(t, sock(t, lan, "10.0.0.5:7878"), c.Member(t), func(cfg *quicnet.Config) {
			hold(cfg)
			cfg.Admit = func(p quicnet.Peer) error {
				return task.Errorf(task.KindFull, "this dispatcher takes 1 worker, %s is one more", p.Name).WithHint("raise --max-workers")
			}
		})
		strict := quictest.Start(t, sock(t, lan, "10.0.0.6:7878"), c.Member(t), func(cfg *quicnet.Config) {
			hold(cfg)
			cfg.Revoked = func(id task.NodeID) bool { return id == a.Membership.ID() }
		})
		for name, d := range map[string]struct {
			from *quictest.Node
			addr string
			want task.NodeID
			kind task.Kind
			say  string
			hint string
		}{
			"nobody there":         {a, "10.0.0.99:7878", "", task.KindTimeout, "10.0.0.99:7878: no answer over UDP within 5s", "firewall"},
			"another cluster":      {a, foreign.Addr, "", task.KindNotAllowed, "cluster", ""},
			"no member there":      {a, apart.Addr, "", task.KindNotAllowed, "no member of a cluster", ""},
			"no member here":       {apart, member.Addr, "", task.KindNotAllowed, "no member of a cluster yet", ""},
			"another node":         {a, member.Addr, foreign.Membership.ID(), task.KindNotAllowed, "where node " + foreign.Membership.ID().Short(), ""},
			"refused after hello":  {a, full.Addr, "", task.KindFull, "takes 1 worker", "--max-workers"},
			"removed":              {a, strict.Addr, "", task.KindNotAllowed, "does not accept this node's certificate", "removed"},
			"not an address":       {a, "10.0.0.2", "", task.KindUsage, `"10.0.0.2" is not an address`, "HOST:PORT"},
			"not a port":           {a, "10.0.0.2:x", "", task.KindUsage, `"x" is not a port`, ""},
			"port 0":               {a, "10.0.0.2:0", "", task.KindUsage, `"0" is not a port`, ""},
			"port out of range":    {a, "10.0.0.2:70000", "", task.KindUsage, `"70000" is not a port`, ""},
			"family it cannot use": {a, "[fe80::1]:7878", "", task.KindUsage, "fe80::1", ""},
		} {
			s, err := d.from.Dial(t.Context(), d.addr, d.want)
			if err == nil {
				s.Close(quicnet.CodeLeaving, "")
			}
			if task.KindOf(err) != d.kind || !strings.Contains(fmt.Sprint(err), d.say) || !strings.Contains(task.HintOf(err), d.hint) {
				t.Errorf("%s: kind %q, %v, hint %q", name, task.KindOf(err), err, task.HintOf(err))
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := a.Dial(ctx, "10.0.0.99:7878", ""); !errors.Is(err, context.Canceled) {
			t.Error("cancelled:", err)
		}
		s, err := a.Dial(t.Context(), member.Addr, member.Membership.ID())
		if err != nil {
			t.Fatal(err)
		}
		if p := s.Peer(); p.ID != member.Membership.ID() || !p.Dialed || p.Name != member.Addr || !p.May(task.RoleWorker) || p.May(task.RoleAdmin) {
			t.Errorf("%+v", p)
		}
	})
}

func TestVersionWindow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan, c := quictest.NewLAN(1), quictest.NewCluster(t)
		speak := func(lo, hi uint16, build string) func(*quicnet.Config) {
			return func(cfg *quicnet.Config) {
				hold(cfg)
				cfg.Hello = func() wire.Hello {
					return wire.Hello{Min: lo, Max: hi, Name: "n" + build, Build: build, Kind: wire.PeerNode, Boot: build}
				}
			}
		}
		old := quictest.Start(t, sock(t, lan, "10.0.0.1:1"), c.Member(t), speak(1, 2, "0.9"))
		mid := quictest.Start(t, sock(t, lan, "10.0.0.2:1"), c.Member(t), speak(2, 4, "1.5"))
		young := quictest.Start(t, sock(t, lan, "10.0.0.3:1"), c.Member(t), speak(4, 6, "2.0"))
		for _, d := range []struct {
			from, to *quictest.Node
			want     uint16
		}{{old, mid, 2}, {mid, old, 2}, {mid, young, 4}, {young, mid, 4}} {
			s, err := d.from.Dial(t.Context(), d.to.Addr, "")
			if err != nil {
				t.Fatal(err)
			}
			if s.Version() != d.want {
				t.Errorf("%s to %s speak version %d, want %d", d.from.Addr, d.to.Addr, s.Version(), d.want)
			}
			s.Close(quicnet.CodeLeaving, "")
			time.Sleep(time.Second) // virtual, until the other side knows
		}
		for _, d := range [][2]*quictest.Node{{old, young}, {young, old}} {
			_, err := d[0].Dial(t.Context(), d[1].Addr, "")
			if task.KindOf(err) != task.KindConflict || !strings.Contains(err.Error(), "versions 1 to 2") || !strings.Contains(err.Error(), "versions 4 to 6") || !strings.Contains(task.HintOf(err), "update n0.9") {
				t.Errorf("%v, hint %q", err, task.HintOf(err))
			}
		}
	})
}

// Two nodes that dial each other at the same moment end with one session, dialled
// by the lower id, whatever the network does.
func TestCrossingDialsLeaveOneSession(t *testing.T) {
	for seed := range uint64(20) {
		bubble(t, func(t *testing.T) {
			lan, c := quictest.NewLAN(seed), quictest.NewCluster(t)
			lan.SetLatency(time.Millisecond, time.Duration(seed)*time.Millisecond)
			a := quictest.Start(t, sock(t, lan, "10.0.0.1:1"), c.Member(t), hold)
			b := quictest.Start(t, sock(t, lan, "10.0.0.2:1"), c.Member(t), hold)
			var wg sync.WaitGroup
			for _, d := range [][2]*quictest.Node{{a, b}, {b, a}} {
				wg.Go(func() {
					if _, err := d[0].Dial(t.Context(), d[1].Addr, ""); err != nil && !errors.Is(err, quicnet.ErrDuplicate) {
						t.Errorf("seed %d: %v", seed, err)
					}
				})
			}
			wg.Wait()
			time.Sleep(time.Second) // virtual
			synctest.Wait()
			sa, sb := a.Sessions(), b.Sessions()
			if len(sa) != 1 || len(sb) != 1 {
				t.Fatalf("seed %d: %d and %d sessions", seed, len(sa), len(sb))
			}
			if lower := a.Membership.ID() < b.Membership.ID(); sa[0].Peer().Dialed != lower || sb[0].Peer().Dialed == lower {
				t.Errorf("seed %d: the session of the higher id was kept", seed)
			}
			if got, ok := a.Session(b.Membership.ID()); !ok || got != sa[0] {
				t.Error("Session does not find it")
			}
		})
	}
}

// A dead session that the other side still sees does not keep a node out.
func TestRedialAfterAOneSidedLoss(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan, c := quictest.NewLAN(1), quictest.NewCluster(t)
		a := quictest.Start(t, sock(t, lan, "10.0.0.1:1"), c.Member(t), hold)
		b := quictest.Start(t, sock(t, lan, "10.0.0.2:1"), c.Member(t), hold)
		low, high := a, b
		if b.Membership.ID() < a.Membership.ID() {
			low, high = b, a
		}
		old, err := low.Dial(t.Context(), high.Addr, "")
		if err != nil {
			t.Fatal(err)
		}
		lan.CutOneWay(host(high), host(low)) // high loses the session, low hears nothing of it
		for _, s := range high.Sessions() {
			s.Close(quicnet.CodeLeaving, "")
		}
		lan.HealAll()
		fresh, err := high.Dial(t.Context(), low.Addr, "")
		if err != nil {
			t.Fatal(err)
		}
		<-old.Done()
		if got, ok := low.Session(high.Membership.ID()); !ok || got == old || fresh.Err() != nil {
			t.Error("the old session stands in the way")
		}
	})
}

func host(n *quictest.Node) string {
	h, _, _ := net.SplitHostPort(n.Addr)
	return h
}

func TestRestartedPeerIsWelcome(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan, c := quictest.NewLAN(1), quictest.NewCluster(t)
		m := c.Member(t)
		a := quictest.Start(t, sock(t, lan, "10.0.0.1:1"), c.Member(t), hold)
		b := quictest.Start(t, sock(t, lan, "10.0.0.2:1"), m, hold)
		s, err := b.Dial(t.Context(), a.Addr, "")
		if err != nil {
			t.Fatal(err)
		}
		b.Kill()
		<-s.Done()
		time.Sleep(time.Second) // so that the boot id differs
		b2 := quictest.Start(t, sock(t, lan, "10.0.0.2:1"), m, hold)
		if _, err := b2.Dial(t.Context(), a.Addr, ""); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := len(a.Sessions()); n != 1 {
			t.Errorf("%d sessions with one node", n)
		}
	})
}

func TestClientsAreNotDeduplicated(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan, c := quictest.NewLAN(1), quictest.NewCluster(t)
		m := c.Member(t)
		a := quictest.Start(t, sock(t, lan, "10.0.0.1:1"), c.Member(t), hold)
		client := func(cfg *quicnet.Config) {
			cfg.DialOnly = true
			cfg.Hello = func() wire.Hello { return wire.Hello{Kind: wire.PeerClient, Name: "cli", Boot: "b"} }
		}
		var all []*quicnet.Session
		for i := range 3 {
			n := quictest.Start(t, sock(t, lan, fmt.Sprintf("10.0.1.%d:1", i+1)), m, client)
			s, err := n.Dial(t.Context(), a.Addr, "")
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, s)
		}
		synctest.Wait()
		for _, s := range all {
			if s.Err() != nil {
				t.Error(s.Err())
			}
		}
		if len(a.Sessions()) != 3 {
			t.Error(len(a.Sessions()))
		}
	})
}

func TestLostPeerIsNoticed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan := quictest.NewLAN(1)
		a, b := quictest.Pair(t, lan)
		lan.Cut("10.0.0.1", "10.0.0.2")
		begin := time.Now()
		<-a.Done()
		<-b.Done()
		if d := time.Since(begin); d < 5*time.Second || d > 15*time.Second {
			t.Errorf("noticed after %s", d)
		}
		if err := a.Err(); task.KindOf(err) != task.KindUnavailable || !strings.Contains(err.Error(), "no longer answers") {
			t.Error(err)
		}
		if _, err := a.Open(t.Context(), wire.StreamRPC); err == nil || !strings.Contains(err.Error(), "no longer answers") {
			t.Error(err)
		}
	})
}

func TestPausedPeerGoesOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan := quictest.NewLAN(1)
		a, b := quictest.Pair(t, lan)
		lan.Pause("10.0.0.2")
		time.Sleep(5 * time.Second)
		lan.Resume("10.0.0.2")
		time.Sleep(20 * time.Second)
		if a.Err() != nil || b.Err() != nil {
			t.Error(a.Err(), b.Err())
		}
		if a.RTT() <= 0 && a.RTT() > time.Minute {
			t.Error(a.RTT())
		}
	})
}

// The dialling side's address changes under a session: it goes on.
func TestAddressChange(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan, c := quictest.NewLAN(1), quictest.NewCluster(t)
		sk, err := lan.Listen("10.0.0.1:7878")
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan *quicnet.Session, 1)
		d := quictest.Start(t, sock(t, lan, "10.0.0.2:7878"), c.Member(t), func(cfg *quicnet.Config) {
			cfg.OnSession = func(_ context.Context, s *quicnet.Session) { got <- s; <-s.Done() }
		})
		w := quictest.Start(t, sk, c.Member(t), hold)
		a, err := w.Dial(t.Context(), d.Addr, "")
		if err != nil {
			t.Fatal(err)
		}
		b := <-got
		for i := range 5 {
			if err := sk.Move(fmt.Sprintf("10.0.0.%d:7878", 30+i)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			for _, pair := range [][2]*quicnet.Session{{a, b}, {b, a}} {
				st, err := pair[0].Open(t.Context(), wire.StreamRPC)
				if err != nil {
					t.Fatal(i, err)
				}
				if err := st.Send(wire.Fault{Message: "still there"}); err != nil {
					t.Fatal(i, err)
				}
				_, in, err := pair[1].Accept(t.Context())
				if err != nil {
					t.Fatal(i, err)
				}
				if _, err := in.Recv(); err != nil {
					t.Fatal(i, err)
				}
				in.Close()
				st.Close()
			}
		}
		if a.Err() != nil || b.Err() != nil {
			t.Error(a.Err(), b.Err())
		}
	})
}

// Dial does not wait for an Endpoint that cannot listen.
func TestListenFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan, c := quictest.NewLAN(1), quictest.NewCluster(t)
		m := c.Member(t)
		conn := sock(t, lan, "10.0.0.1:1")
		_ = conn.Close()
		e := quicnet.New(quicnet.Config{Conn: conn, Membership: func() *trust.Membership { return m }})
		done := make(chan error, 1)
		go func() { done <- e.Run(t.Context()) }()
		if _, err := e.Dial(t.Context(), "10.0.0.2:1", ""); err == nil {
			t.Error("a session over a closed socket")
		}
		if err := <-done; err == nil {
			t.Error("Run ended well on a closed socket")
		}
	})
}

func TestExpelledPeerIsGone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan, c := quictest.NewLAN(1), quictest.NewCluster(t)
		a := quictest.Start(t, sock(t, lan, "10.0.0.1:1"), c.Member(t), hold)
		b := quictest.Start(t, sock(t, lan, "10.0.0.2:1"), c.Member(t), hold)
		s, err := b.Dial(t.Context(), a.Addr, "")
		if err != nil {
			t.Fatal(err)
		}
		a.Expel(b.Membership.ID())
		<-s.Done()
		if err := s.Err(); task.KindOf(err) != task.KindNotAllowed || !errors.Is(err, quicnet.ErrRemoved) {
			t.Error(err)
		}
	})
}

// A new membership, such as one with another role, is used by the next handshake
// without a restart.
func TestMembershipMayChange(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan, c := quictest.NewLAN(1), quictest.NewCluster(t)
		first := c.Member(t, task.RoleWorker)
		second, err := c.CA.Enrol(first.Identity(), []task.Role{task.RoleWorker, task.RoleDispatcher}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var now *trust.Membership
		a := quictest.Start(t, sock(t, lan, "10.0.0.1:1"), nil, func(cfg *quicnet.Config) {
			hold(cfg)
			cfg.Membership = func() *trust.Membership { mu.Lock(); defer mu.Unlock(); return now }
		})
		b := quictest.Start(t, sock(t, lan, "10.0.0.2:1"), c.Member(t), hold)
		if _, err := b.Dial(t.Context(), a.Addr, ""); err == nil {
			t.Fatal("a node without membership was a peer")
		}
		for _, m := range []*trust.Membership{first, second} {
			mu.Lock()
			now = m
			mu.Unlock()
			s, err := b.Dial(t.Context(), a.Addr, m.ID())
			if err != nil {
				t.Fatal(err)
			}
			if s.Peer().May(task.RoleDispatcher) != m.May(task.RoleDispatcher) {
				t.Error(s.Peer().Roles)
			}
			s.Close(quicnet.CodeLeaving, "")
		}
	})
}

func TestBackoff(t *testing.T) {
	for _, c := range []struct {
		failures int
		chance   float64
		want     time.Duration
	}{
		{0, 0.5, 0},
		{1, 0.5, 250 * time.Millisecond},
		{2, 0.5, 500 * time.Millisecond},
		{5, 0.5, 4 * time.Second},
		{7, 0.5, 16 * time.Second},
		{8, 0.5, 30 * time.Second},
		{1000, 0.5, 30 * time.Second},
		{1 << 30, 0.5, 30 * time.Second},
		{1, 0, 187500 * time.Microsecond},
		{1, 1, 312500 * time.Microsecond},
		{9, 1, 37500 * time.Millisecond},
	} {
		if got := quicnet.Backoff(c.failures, c.chance); got != c.want {
			t.Errorf("Backoff(%d, %v) is %s, want %s", c.failures, c.chance, got, c.want)
		}
	}
}

// A name with several addresses is tried on all of them, and the dead ones do not
// hold the living one up. Over real sockets, because names need a resolver.
func TestRealSockets(t *testing.T) {
	c := quictest.NewCluster(t)
	udp := func() net.PacketConn {
		p, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	a := quictest.Start(t, udp(), c.Member(t), hold)
	b := quictest.Start(t, udp(), c.Member(t), hold)
	_, port, _ := net.SplitHostPort(b.Addr)
	s, err := a.Dial(t.Context(), net.JoinHostPort("localhost", port), b.Membership.ID())
	if err != nil {
		t.Fatal(err)
	}
	if s.RTT() <= 0 {
		t.Error(s.RTT())
	}
	if _, err := a.Dial(t.Context(), "no-such-host.invalid:1", ""); task.KindOf(err) != task.KindUsage || !strings.Contains(err.Error(), "no-such-host.invalid") {
		t.Error(err)
	}
}
