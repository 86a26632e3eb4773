package nodetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/quictest"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// journal is a log that can be read while it is written.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) text() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// stranger is an endpoint of a node that is no member.
func stranger(t *testing.T, c *Cluster, conn net.PacketConn) *quictest.Node {
	t.Helper()
	id, err := trust.NewIdentity()
	c.must(err)
	return quictest.Start(t, conn, nil, func(cfg *quicnet.Config) {
		cfg.Membership = func() *trust.Membership { return nil }
		cfg.Join = &quicnet.JoinConfig{Identity: id}
	})
}

func (c *Cluster) sock(host string) *quictest.Sock {
	c.t.Helper()
	s, err := c.LAN.Listen(host)
	c.must(err)
	return s
}

func wrongCode(c *Cluster) trust.Code {
	code, err := trust.NewCode()
	c.must(err)
	return code
}

// members is how many nodes the cluster has let in.
func (c *Cluster) members() int {
	c.t.Helper()
	nodes, err := c.Dispatcher().Control().Nodes(c.t.Context())
	c.must(err)
	return len(nodes)
}

// tape is a socket that keeps what it sent.
type tape struct {
	net.PacketConn
	mu   sync.Mutex
	sent [][]byte
}

func (p *tape) WriteTo(b []byte, to net.Addr) (int, error) {
	p.mu.Lock()
	p.sent = append(p.sent, bytes.Clone(b))
	p.mu.Unlock()
	return p.PacketConn.WriteTo(b, to)
}

// TestJoiningAttacked: while a stranger tries code after code at a real
// dispatcher, the right person gets in with the right one; a code that was used,
// has expired, or whose exchange is replayed lets nobody in; and no code is in
// the log.
func TestJoiningAttacked(t *testing.T) {
	tries := 60
	if os.Getenv("OCTASKLY_LONG") != "" {
		tries = 2000
	}
	synctest.Test(t, func(t *testing.T) {
		var log journal
		c := NewCluster(t, ClusterOptions{Workers: 1, Seed: 5, Logger: log.logger()})
		ctl, at := c.Dispatcher().Control(), c.Dispatcher().Host+":7878"
		invite, err := ctl.Invite(t.Context(), control.InviteRequest{})
		c.must(err)
		code, err := trust.ParseCode(invite.Code)
		c.must(err)

		var wg sync.WaitGroup
		guess := stranger(t, c, c.sock("10.0.9.66:7878"))
		wg.Go(func() {
			for range tries {
				ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
				if _, _, err := guess.Join(ctx, at, wrongCode(c), nil); err == nil {
					t.Error("a guess was right")
				}
				cancel()
			}
		})
		time.Sleep(3 * time.Second)
		begun := time.Now()
		record := &tape{PacketConn: c.sock("10.0.9.7:7878")}
		right := stranger(t, c, record)
		m, _, err := right.Join(t.Context(), at, code, nil)
		c.must(err)
		if d := time.Since(begun); d > 15*time.Second {
			t.Errorf("the right person waited for %s", d)
		}
		if m.May(task.RoleAdmin) || m.May(task.RoleDispatcher) {
			t.Errorf("it may be %v", m.Roles())
		}
		wg.Wait()
		had := c.members()

		other := stranger(t, c, c.sock("10.0.9.8:7878"))
		if _, _, err := other.Join(t.Context(), at, code, nil); err == nil {
			t.Error("a used code was taken")
		}
		invite, err = ctl.Invite(t.Context(), control.InviteRequest{})
		c.must(err)
		late, err := trust.ParseCode(invite.Code)
		c.must(err)
		time.Sleep(11 * time.Minute)
		if _, _, err := other.Join(t.Context(), at, late, nil); !errors.Is(err, quicnet.ErrWrongCode) {
			t.Errorf("an expired code: %v", err)
		}
		right.Stop()
		again := c.sock("10.0.9.7:7878") // the very packets, from the very address
		for _, b := range record.sent {
			_, _ = again.WriteTo(b, net.UDPAddrFromAddrPort(netip.MustParseAddrPort(at)))
			time.Sleep(time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		if n := c.members(); n != had {
			t.Errorf("%d members, before the attacks %d", n, had)
		}
		_ = again.Close()
		c.Stop()
		text := log.text()
		for _, x := range []trust.Code{code, late} {
			if strings.Contains(text, x.Text()) || strings.Contains(text, strings.ReplaceAll(x.Text(), "-", "")) {
				t.Error("a code is in the log")
			}
		}
		for _, line := range []string{"audit: invite", "audit: member", "audit: join refused"} {
			if !strings.Contains(text, line) {
				t.Errorf("no line %q in the log", line)
			}
		}
	})
}

// TestRefusalsAreRecorded: a stranger, a member of another cluster, a worker that
// pretends to dispatch, one that speaks for another's lease, and packets that are
// played again: nothing is accepted, and each leaves a line.
func TestRefusalsAreRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log journal
		c := NewCluster(t, ClusterOptions{Workers: 1, Slots: 4, Seed: 6, Logger: log.logger()})
		ctl, at := c.Dispatcher().Control(), c.Dispatcher().Host+":7878"
		left := func(what, line string) {
			t.Helper()
			time.Sleep(2 * time.Second)
			if text := log.text(); !strings.Contains(text, line) {
				t.Errorf("%s left no line %q", what, line)
			}
			log.mu.Lock()
			log.b.Reset()
			log.mu.Unlock()
		}
		r, err := ctl.Submit(t.Context(), control.SubmitRequest{Tasks: []control.NewTask{{Spec: task.Spec{Shell: "sleep 1h"}}}})
		c.must(err)
		for got := (task.Task{}); got.State != task.Running; time.Sleep(100 * time.Millisecond) {
			got, err = ctl.Get(t.Context(), r.Results[0].ID)
			c.must(err)
		}
		got, err := ctl.Get(t.Context(), r.Results[0].ID)
		c.must(err)

		foreign := quictest.NewCluster(t)
		out := quictest.Start(t, c.sock("10.0.9.66:7878"), foreign.Member(t, task.RoleWorker, task.RoleAdmin), nil)
		if s, err := out.Dial(t.Context(), at, ""); err == nil {
			if _, err := s.Open(t.Context(), wire.StreamRPC); err == nil {
				_, err = s.Open(t.Context(), wire.StreamRPC)
				t.Errorf("a member of another cluster has a session: %v", err)
			}
		}
		left("a member of another cluster", "audit: connection refused")

		// A worker with a certificate of this cluster, whose packets are kept.
		record := &tape{PacketConn: c.sock("10.0.9.67:7878")}
		bad := quictest.Start(t, record, (&quictest.Cluster{CA: c.CA}).Member(t, task.RoleWorker), nil)
		s, err := bad.Dial(t.Context(), at, c.Dispatcher().ID)
		c.must(err)
		st, err := s.Open(t.Context(), wire.StreamWork)
		c.must(err)
		c.must(st.Send(wire.Register{Boot: "evil", Name: "evil"}))
		_, err = wire.Recv1[wire.Accepted](st)
		c.must(err)
		c.must(st.Send(wire.Results{Items: []wire.Result{{Lease: wire.Lease{ID: got.ID, Fence: got.Last().Fence}, Exit: task.Exit{Reason: task.ReasonExit}}}}))
		left("a worker with another's lease", "audit: results refused")
		s.Close(0, "")
		bad.Stop()
		time.Sleep(10 * time.Second) // until the ended connection no longer swallows its packets
		again := c.sock("10.0.9.67:7878")
		for _, b := range record.sent {
			_, _ = again.WriteTo(b, net.UDPAddrFromAddrPort(netip.MustParseAddrPort(at)))
			time.Sleep(time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		left("packets played again", "audit: connection refused")
		if now, err := ctl.Get(t.Context(), got.ID); err != nil || now.State != task.Running {
			t.Errorf("the task is %s: %v", now.State, err)
		}

		// A worker of this cluster whose address is taken for the dispatcher's.
		c.Members[1].Stop(true)
		c.Dispatcher().Stop(true)
		quictest.Start(t, c.sock(at), (&quictest.Cluster{CA: c.CA}).Member(t, task.RoleWorker), func(cfg *quicnet.Config) {
			cfg.Hello = func() wire.Hello {
				return wire.Hello{Kind: wire.PeerNode, Name: "evil", Boot: "evil", Plays: []task.Role{task.RoleDispatcher}, Term: 99}
			}
			cfg.OnSession = func(_ context.Context, s *quicnet.Session) { <-s.Done() }
		})
		c.Members[1].Start()
		time.Sleep(5 * time.Second)
		left("a worker that pretends to dispatch", "audit: a node without the role tried to dispatch")
	})
}

// TestManyWorkers: many workers join with a code, each with a key of its own, run
// many tasks and leave. One more than the limit is refused, and both sides say so.
func TestManyWorkers(t *testing.T) {
	workers, tasks := 12, 2000
	if os.Getenv("OCTASKLY_LONG") != "" {
		workers, tasks = 100, 100_000
	}
	synctest.Test(t, func(t *testing.T) {
		var log journal
		c := NewCluster(t, ClusterOptions{Seed: 8, Slots: 4, Most: workers, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		ctl := c.Dispatcher().Control()
		invite, err := ctl.Invite(t.Context(), control.InviteRequest{Uses: workers + 1})
		c.must(err)
		for i := range workers {
			c.Newcomer(fmt.Sprintf("w%d", i+1), invite.Code)
		}
		up := func() (n int) {
			nodes, err := ctl.Nodes(t.Context())
			c.must(err)
			for _, x := range nodes {
				if x.State == control.NodeUp && !x.Self {
					n++
				}
			}
			return n
		}
		for end := time.Now().Add(time.Minute); up() < workers; time.Sleep(100 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d of %d workers came", up(), workers)
			}
		}
		c.Newcomer("over", invite.Code)
		for begin := 0; begin < tasks; begin += 1000 {
			batch := make([]control.NewTask, min(1000, tasks-begin))
			for i := range batch {
				batch[i].Spec = task.Spec{Shell: "sleep 10ms", Need: task.Need{CPU: 1000}}
			}
			_, err := ctl.Submit(t.Context(), control.SubmitRequest{Tasks: batch})
			c.must(err)
		}
		for end := time.Now().Add(time.Hour); ; time.Sleep(time.Second) {
			s, err := ctl.Status(t.Context())
			c.must(err)
			if s.Tasks[task.Done] == tasks {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%v", s.Tasks)
			}
		}
		nodes, err := ctl.Nodes(t.Context())
		c.must(err)
		ran := map[bool]int{}
		for _, n := range nodes {
			if !n.Self {
				ran[n.Done > 0]++
			}
		}
		if ran[true] != workers {
			t.Errorf("%d of %d workers ran something", ran[true], workers)
		}
		text := log.text()
		for _, line := range []string{"worker refused: the limit is reached", fmt.Sprintf("this dispatcher takes %d workers", workers)} {
			if !strings.Contains(text, line) {
				t.Errorf("no line %q", line)
			}
		}
		for _, m := range c.Members[1:] {
			m.Stop(false)
		}
		if n := up(); n > 0 {
			t.Errorf("%d workers are up after they left", n)
		}
		c.Stop()
		for _, v := range Check(c.History.Events(), CheckOptions{Witnessed: true, Complete: true}) {
			t.Error(v)
		}
	})
}
