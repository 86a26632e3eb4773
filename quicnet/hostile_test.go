package quicnet_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	quic "github.com/quic-go/quic-go"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/quictest"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// attacker is a member that does not keep to the protocol: it holds bare QUIC
// connections.
type attacker struct {
	t    *testing.T
	tr   *quic.Transport
	conn net.PacketConn
	m    *trust.Membership
	to   net.Addr
}

func newAttacker(t *testing.T, lan *quictest.LAN, addr string, m *trust.Membership, to string) *attacker {
	t.Helper()
	conn := sock(t, lan, addr)
	udp, err := net.ResolveUDPAddr("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	a := &attacker{t: t, conn: conn, tr: &quic.Transport{Conn: conn}, m: m, to: udp}
	t.Cleanup(func() { a.tr.Close(); conn.Close() })
	return a
}

func (a *attacker) dialWith(ctx context.Context, conf *tls.Config) (*quic.Conn, error) {
	return a.tr.Dial(ctx, a.to, conf, &quic.Config{})
}

func (a *attacker) dial() *quic.Conn {
	a.t.Helper()
	v := &trust.Verifier{}
	c, err := a.dialWith(a.t.Context(), v.Dial(a.m, "", trust.ALPNMember))
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

// hello opens the control stream and says HELLO as it should be said.
func (a *attacker) hello(c *quic.Conn) (*quic.Stream, wire.Frame, error) {
	a.t.Helper()
	st, err := c.OpenStreamSync(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	h := wire.Hello{Min: 1, Max: 1, Node: a.m.ID(), Cluster: a.m.ClusterID(), Name: "mallory", Kind: wire.PeerClient, Boot: "x"}
	out, err := wire.Append([]byte{byte(wire.StreamControl)}, h)
	if err != nil {
		a.t.Fatal(err)
	}
	if _, err := st.Write(out); err != nil {
		a.t.Fatal(err)
	}
	f, err := wire.NewFraming(st, st, wire.LimitAfter).Recv()
	return st, f, err
}

func sock(t testing.TB, lan *quictest.LAN, addr string) net.PacketConn {
	t.Helper()
	s, err := lan.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func frame(kind wire.Kind, body ...byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)+1))
	return append(append(b, byte(kind)), body...)
}

// target is an endpoint that counts what it lets in.
type target struct {
	*quictest.Node
	sessions atomic.Int32
	frames   atomic.Int32 // accepted on any stream
}

func newTarget(t *testing.T, lan *quictest.LAN, c *quictest.Cluster) *target {
	tg := &target{}
	tg.Node = quictest.Start(t, sock(t, lan, "10.0.0.1:7878"), c.Member(t, task.RoleDispatcher), func(cfg *quicnet.Config) {
		cfg.OnSession = func(ctx context.Context, s *quicnet.Session) {
			tg.sessions.Add(1)
			for {
				_, st, err := s.Accept(ctx)
				if err != nil {
					return
				}
				go func() {
					defer st.Close()
					for {
						if _, err := st.Recv(); err != nil {
							return
						}
						tg.frames.Add(1)
					}
				}()
			}
		}
	})
	return tg
}

// alive shows that an honest member still gets through.
func (tg *target) alive(t *testing.T, lan *quictest.LAN, c *quictest.Cluster) {
	t.Helper()
	n := quictest.Start(t, sock(t, lan, "10.0.0.9:0"), c.Member(t), nil)
	s, err := n.Dial(t.Context(), tg.Addr, tg.Membership.ID())
	if err != nil {
		t.Fatal("an honest member is shut out:", err)
	}
	s.Close(quicnet.CodeLeaving, "")
	n.Stop()
}

// Before HELLO nothing but HELLO is taken, from a stream of any kind.
func TestNothingIsTakenBeforeHello(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan, c := quictest.NewLAN(1), quictest.NewCluster(t)
		tg := newTarget(t, lan, c)
		a := newAttacker(t, lan, "10.0.0.66:1", c.Member(t), tg.Addr)
		var first [][]byte
		for kind := range 256 {
			first = append(first, append([]byte{byte(wire.StreamControl)}, frame(wire.Kind(kind), 0x80)...))
			first = append(first, append([]byte{byte(kind)}, frame(wire.KindHello, 0x80)...))
		}
		for _, b := range bombs() {
			first = append(first, append([]byte{byte(wire.StreamControl)}, frame(wire.KindHello, b...)...))
		}
		for i, b := range first {
			conn := a.dial()
			st, err := conn.OpenStreamSync(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, _ = st.Write(b)
			_ = st.Close()
			got, _ := io.ReadAll(st)
			if len(got) > 0 && got[4] != byte(wire.KindRefused) {
				t.Errorf("case %d was answered with %x", i, got)
			}
			conn.CloseWithError(0, "")
			<-conn.Context().Done()
		}
		synctest.Wait()
		if n := tg.sessions.Load(); n != 0 {
			t.Errorf("%d sessions without a hello", n)
		}
		tg.alive(t, lan, c)
	})
}

// After WELCOME each kind is taken on its own kind of stream and from its own
// end only; anything out of place ends the stream, or the session if it was the
// control stream.
func TestNothingOutOfPlaceIsTaken(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan, c := quictest.NewLAN(1), quictest.NewCluster(t)
		tg := newTarget(t, lan, c)
		a := newAttacker(t, lan, "10.0.0.66:1", c.Member(t), tg.Addr)
		for kind := range 256 { // on the control stream
			if kind == int(wire.KindGoAway) {
				continue
			}
			conn := a.dial()
			st, f, err := a.hello(conn)
			if err != nil || f.Kind != wire.KindWelcome {
				t.Fatal(f.Kind, err)
			}
			_, _ = st.Write(frame(wire.Kind(kind), 0x80))
			<-conn.Context().Done()
			var app *quic.ApplicationError
			if !errors.As(context.Cause(conn.Context()), &app) || quicnet.Code(app.ErrorCode) != quicnet.CodeProtocol {
				t.Errorf("kind %d on the control stream: %v", kind, context.Cause(conn.Context()))
			}
		}
		conn := a.dial()
		if _, _, err := a.hello(conn); err != nil {
			t.Fatal(err)
		}
		for _, stream := range []wire.StreamKind{wire.StreamWork, wire.StreamRPC, wire.StreamOutput, wire.StreamBlob, wire.StreamPeers} {
			for kind := range 256 {
				before := tg.frames.Load()
				st, err := conn.OpenStreamSync(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				_, _ = st.Write(append([]byte{byte(stream)}, frame(wire.Kind(kind), 0x80)...))
				_ = st.Close()
				_, _ = io.ReadAll(st)
				synctest.Wait()
				info, ok := wire.Kind(kind).Info()
				allowed := ok && info.From&wire.Opener != 0 && (info.Stream == stream || info.Stream == wire.AnyStream)
				if taken := tg.frames.Load() != before; taken != allowed {
					t.Errorf("%s on a %s stream: taken %v", wire.Kind(kind), stream, taken)
				}
			}
		}
		conn.CloseWithError(0, "")
		for _, stream := range []byte{0, 1, 6, 8, 255} { // streams of no application kind
			conn := a.dial()
			if _, _, err := a.hello(conn); err != nil {
				t.Fatal(err)
			}
			st, _ := conn.OpenStreamSync(t.Context())
			_, _ = st.Write([]byte{stream})
			<-conn.Context().Done()
		}
		tg.alive(t, lan, c)
	})
}

func bombs() [][]byte {
	return [][]byte{
		{0xdd, 0x00, 0x80, 0x00, 0x00},
		{0xdd, 0xff, 0xff, 0xff, 0xff},
		{0xdb, 0xff, 0xff, 0xff, 0xff},
		bytes.Repeat([]byte{0x91}, 60<<10),
		append([]byte{0x81, 0xa1, 'i', 0xdd, 0x00, 0x0f, 0x42, 0x40}, 0xc0, 0xc0),
	}
}

// Bombs and ten thousand frames of random bytes, before and after HELLO: nothing
// is taken that is no message, memory stays, the endpoint lives.
func TestRandomFramesAndBombs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan, c := quictest.NewLAN(1), quictest.NewCluster(t)
		tg := newTarget(t, lan, c)
		a := newAttacker(t, lan, "10.0.0.66:1", c.Member(t), tg.Addr)
		r := rand.New(rand.NewPCG(1, 2))
		tg.alive(t, lan, c)
		before := rss(t, true)
		kinds := wire.Kinds()
		random := func() []byte {
			b := make([]byte, r.IntN(400))
			for i := range b {
				b[i] = byte(r.UintN(256))
			}
			return frame(kinds[r.IntN(len(kinds))].Kind, b...)
		}
		shoot := func(conn *quic.Conn, b []byte) {
			st, err := conn.OpenStreamSync(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, _ = st.Write(b)
			_ = st.Close()
			st.CancelRead(0)
		}
		for range 300 { // before HELLO: one frame a connection
			conn := a.dial()
			shoot(conn, append([]byte{byte(wire.StreamControl)}, random()...))
			conn.CloseWithError(0, "")
		}
		conn := a.dial()
		if _, _, err := a.hello(conn); err != nil {
			t.Fatal(err)
		}
		for range 10_000 {
			shoot(conn, append([]byte{byte(wire.StreamWork + wire.StreamKind(r.IntN(4)))}, random()...))
		}
		big := bytes.Repeat([]byte{0x91}, 1<<20-2)
		for _, b := range append(bombs(), big) {
			shoot(conn, append([]byte{byte(wire.StreamWork)}, frame(wire.KindResults, b...)...))
		}
		synctest.Wait()
		if conn.Context().Err() != nil {
			t.Error("the session ended:", context.Cause(conn.Context()))
		}
		conn.CloseWithError(0, "")
		if grown := rss(t, false) - before; grown > 16<<20 && !raceDetector {
			t.Errorf("resident memory grew by %d MiB at its peak", grown>>20)
		}
		t.Logf("%d frames were well-formed by chance", tg.frames.Load())
		tg.alive(t, lan, c)
	})
}

// rss is the resident memory now (and starts to watch its peak), or its peak
// since.
func rss(t *testing.T, now bool) int64 {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	word := "VmHWM:"
	if now {
		runtime.GC()
		word = "VmRSS:"
		_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o600)
	}
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(b), "\n") {
		var kb int64
		if rest, ok := strings.CutPrefix(line, word); ok {
			if _, err := fmt.Sscan(rest, &kb); err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	return 0
}

// Strangers get as far as a TLS alert and not a byte of ours further.
func TestStrangersGetNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan, c := quictest.NewLAN(1), quictest.NewCluster(t)
		tg := newTarget(t, lan, c)
		other := quictest.NewCluster(t)
		a := newAttacker(t, lan, "10.0.0.66:1", other.Member(t, task.RoleDispatcher, task.RoleAdmin), tg.Addr)
		conf := (&trust.Verifier{}).Dial(a.m, "", trust.ALPNMember)
		conf.VerifyConnection = nil // it takes whom it finds
		for _, alpn := range []string{trust.ALPNMember, trust.ALPNJoin, trust.ALPNRaft, "h3"} {
			conf := conf.Clone()
			conf.NextProtos = []string{alpn}
			conn, err := a.dialWith(t.Context(), conf)
			if err != nil {
				continue
			}
			if st, err := conn.OpenStreamSync(t.Context()); err == nil {
				h, _ := wire.Append([]byte{byte(wire.StreamControl)}, wire.Hello{Min: 1, Max: 1, Node: tg.Membership.ID(), Cluster: c.CA.ClusterID(), Kind: wire.PeerNode})
				_, _ = st.Write(h)
				if b, _ := io.ReadAll(st); len(b) > 0 {
					t.Errorf("%s: a stranger got %x", alpn, b)
				}
			}
			<-conn.Context().Done()
		}
		if tg.sessions.Load() != 0 {
			t.Error("a stranger has a session")
		}
		tg.alive(t, lan, c)
	})
}

// Connections that never say HELLO are bounded in number and in time.
func TestSilentConnectionsAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan, c := quictest.NewLAN(1), quictest.NewCluster(t)
		tg := newTarget(t, lan, c)
		a := newAttacker(t, lan, "10.0.0.66:1", c.Member(t), tg.Addr)
		var open []*quic.Conn
		v := &trust.Verifier{}
		for range 40 {
			conn, err := a.dialWith(t.Context(), v.Dial(a.m, "", trust.ALPNMember))
			if err == nil {
				open = append(open, conn)
			}
		}
		synctest.Wait()
		standing := 0
		for _, conn := range open {
			if conn.Context().Err() == nil {
				standing++
			}
		}
		if standing == 0 || standing > 16 {
			t.Errorf("%d silent connections from one address stand", standing)
		}
		tg.alive(t, lan, c)
		begin := time.Now()
		for _, conn := range open {
			<-conn.Context().Done()
		}
		if d := time.Since(begin); d > 6*time.Second {
			t.Errorf("they stood for %s", d)
		}
		conn := a.dial() // and the address is welcome again
		if _, f, err := a.hello(conn); err != nil || f.Kind != wire.KindWelcome {
			t.Error(f.Kind, err)
		}
		conn.CloseWithError(0, "")
	})
}

// A peer that claims to be another node than its certificate says is refused.
func TestHelloMustMatchTheCertificate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan, c := quictest.NewLAN(1), quictest.NewCluster(t)
		tg := newTarget(t, lan, c)
		a := newAttacker(t, lan, "10.0.0.66:1", c.Member(t), tg.Addr)
		for _, h := range []wire.Hello{
			{Min: 1, Max: 1, Node: tg.Membership.ID(), Cluster: a.m.ClusterID(), Kind: wire.PeerNode},
			{Min: 1, Max: 1, Node: a.m.ID(), Cluster: string(a.m.ID()), Kind: wire.PeerNode},
			{Min: 1, Max: 1, Kind: wire.PeerNode},
		} {
			conn := a.dial()
			st, err := conn.OpenStreamSync(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			out, _ := wire.Append([]byte{byte(wire.StreamControl)}, h)
			_, _ = st.Write(out)
			f, err := wire.NewFraming(st, st, wire.LimitAfter).Recv()
			if err != nil || f.Kind != wire.KindRefused {
				t.Errorf("%+v: %s, %v", h, f.Kind, err)
			}
			conn.CloseWithError(0, "")
		}
		synctest.Wait()
		if tg.sessions.Load() != 0 {
			t.Error("a session under a false name")
		}
	})
}
