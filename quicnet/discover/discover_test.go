package discover_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/discover"
	"github.com/adauldev/octaskly/quicnet/quictest"
)

// plainSocket is a node's socket on which there is no QUIC.
type plainSocket struct{ net.PacketConn }

func (s plainSocket) WriteTo(_ context.Context, b []byte, a net.Addr) error {
	_, err := s.PacketConn.WriteTo(b, a)
	return err
}

func (s plainSocket) ReadNonQUIC(ctx context.Context, b []byte) (int, net.Addr, error) {
	stop := context.AfterFunc(ctx, func() { _ = s.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	return s.ReadFrom(b)
}

func nodeID(n int) task.NodeID {
	return task.NodeID(strings.Repeat(string(rune('a'+n)), 52))
}

// finder is one that runs on a host of a LAN in memory, with the probe only.
type finder struct {
	*discover.Finder
	mu   sync.Mutex
	self discover.Self
	nets []discover.Interface
}

func (f *finder) set(change func(*finder)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func start(t *testing.T, lan *quictest.LAN, n int, edit func(*discover.Config)) *finder {
	t.Helper()
	host := fmt.Sprintf("10.0.0.%d", n)
	sock, err := lan.Listen(host + ":7878")
	if err != nil {
		t.Fatal(err)
	}
	f := &finder{
		self: discover.Self{Node: nodeID(n), Name: fmt.Sprintf("mill-%d", n), Port: 7878, Version: 1},
		nets: []discover.Interface{{Name: "eth0", Prefixes: []netip.Prefix{netip.MustParsePrefix(host + "/24")}}},
	}
	cfg := discover.Config{
		Self:       func() discover.Self { f.mu.Lock(); defer f.mu.Unlock(); return f.self },
		Socket:     plainSocket{sock},
		Off:        []discover.Rung{discover.ByMDNS},
		Interfaces: func() ([]discover.Interface, error) { f.mu.Lock(); defer f.mu.Unlock(); return f.nets, nil },
		Listen:     func(port uint16) (net.PacketConn, error) { return lan.Listen(fmt.Sprintf("%s:%d", host, port)) },
		Resolve: func(_ context.Context, name string) ([]netip.Addr, error) {
			if name == "mill-2" {
				return []netip.Addr{netip.MustParseAddr("10.0.0.2")}, nil
			}
			return nil, errors.New("find it: no such host")
		},
	}
	if edit != nil {
		edit(&cfg)
	}
	f.Finder = discover.New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = sock.Close()
	})
	return f
}

// next waits for a sighting that fits.
func (f *finder) next(t *testing.T, fits func(discover.Sighting) bool) discover.Sighting {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		select {
		case s := <-f.Sightings():
			if s.Node == f.self.Node {
				t.Error("it sees itself")
			}
			if fits(s) {
				return s
			}
		case <-limit:
			t.Fatal("nothing was seen")
		}
	}
}

func isNode(n int) func(discover.Sighting) bool {
	return func(s discover.Sighting) bool { return s.Node == nodeID(n) }
}

func TestNodesSeeEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lan := quictest.NewLAN(1)
		lan.SetLatency(time.Millisecond, time.Millisecond)
		begin := time.Now()
		var all []*finder
		for n := 1; n <= 4; n++ {
			all = append(all, start(t, lan, n, nil))
		}
		for _, f := range all {
			for seen := map[task.NodeID]bool{}; len(seen) < 3; {
				s := f.next(t, func(s discover.Sighting) bool { return !seen[s.Node] })
				seen[s.Node] = true
				n := int(s.Node[0] - 'a')
				if s.Via != discover.ByProbe || s.Name != fmt.Sprintf("mill-%d", n) || len(s.Addrs) != 1 || s.Addrs[0].String() != fmt.Sprintf("10.0.0.%d:7878", n) {
					t.Errorf("%+v", s)
				}
			}
		}
		if d := time.Since(begin); d > 2*time.Second {
			t.Errorf("it took %s", d)
		}
		// One that comes later is seen within two seconds by those that no longer ask.
		time.Sleep(time.Minute)
		begin = time.Now()
		late := start(t, lan, 9, nil)
		for _, f := range all {
			f.next(t, isNode(9))
		}
		late.next(t, isNode(1))
		if d := time.Since(begin); d > 2*time.Second {
			t.Errorf("the late one took %s", d)
		}
		for _, x := range all[0].Facts() {
			if !x.OK {
				t.Errorf("%+v", x)
			}
		}
	})
}

// TestOneThatOnlyLooks: it sees the others, and nobody sees it or gets an answer.
func TestOneThatOnlyLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lan := quictest.NewLAN(1)
		node := start(t, lan, 1, nil)
		looker := start(t, lan, 2, func(c *discover.Config) {
			self := c.Self
			c.Self = func() discover.Self { s := self(); s.Looks = true; return s }
		})
		looker.next(t, isNode(1))
		time.Sleep(time.Minute)
		select {
		case s := <-node.Sightings():
			t.Errorf("it was seen: %+v", s)
		default:
		}
	})
}

func TestChangesAreAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lan := quictest.NewLAN(1)
		a, b := start(t, lan, 1, nil), start(t, lan, 2, nil)
		a.next(t, isNode(2))
		time.Sleep(time.Minute)
		b.set(func(f *finder) { f.self.Asks = true })
		s := a.next(t, func(s discover.Sighting) bool { return s.Asks })
		if s.Node != nodeID(2) {
			t.Error(s)
		}
		b.set(func(f *finder) { f.self.Cluster, f.self.Asks = strings.Repeat("z", 52), false })
		a.next(t, func(s discover.Sighting) bool { return s.Cluster != "" && !s.Asks })
	})
}

func TestInterfacesComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lan := quictest.NewLAN(1)
		quiet := start(t, lan, 2, func(c *discover.Config) {
			c.Interfaces = func() ([]discover.Interface, error) {
				return []discover.Interface{{Name: "lo", Loopback: true, Prefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8")}}}, nil
			}
		})
		a := start(t, lan, 1, nil)
		nets := a.nets
		a.set(func(f *finder) { f.nets = nets[:0:0] })
		time.Sleep(10 * time.Second)
		a.set(func(f *finder) { f.nets = nets })
		begin := time.Now()
		a.next(t, isNode(2))
		if d := time.Since(begin); d > 6*time.Second {
			t.Errorf("the interface was used after %s", d)
		}
		_ = quiet
	})
}

func TestGivenAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lan := quictest.NewLAN(1)
		start(t, lan, 2, func(c *discover.Config) { c.Interfaces = func() ([]discover.Interface, error) { return nil, nil } })
		seeds := []string{"mill-2", "10.0.0.3:9000", "no-such-host", "a b"}
		a := start(t, lan, 1, func(c *discover.Config) {
			c.Seeds = func() []string { return seeds }
			c.Interfaces = func() ([]discover.Interface, error) { return nil, errors.New("permission denied") }
		})
		got := a.next(t, func(s discover.Sighting) bool { return s.Given == "mill-2:7878" })
		if got.Via != discover.ByAddress || got.Node != "" || got.Addrs[0].String() != "10.0.0.2:7878" {
			t.Errorf("%+v", got)
		}
		if all := words(a, false); strings.Contains(all, "did not answer") {
			t.Errorf("judged too early:\n%s", all)
		}
		a.next(t, func(s discover.Sighting) bool { return s.Given == "10.0.0.3:9000" })
		if s := a.next(t, isNode(2)); s.Via != discover.ByProbe { // asked at its probe port
			t.Errorf("%+v", s)
		}
		time.Sleep(2*time.Second + 50*time.Millisecond)
		bad := words(a, false)
		for _, say := range []string{"find it: no such host", `"a b" is not an address`, "does not show its network interfaces", "--dispatcher", "10.0.0.3:9000 did not answer within 2s / see that"} {
			if !strings.Contains(bad, say) {
				t.Errorf("the facts do not say %q:\n%s", say, bad)
			}
		}
		if good := words(a, true); !strings.Contains(good, "mill-2 answered from mill-2 (10.0.0.2:7878)") || strings.Contains(bad, "mill-2") {
			t.Errorf("the one that answered:\n%s\n%s", good, bad)
		}
		// One that comes to the silent address later.
		start(t, lan, 3, func(c *discover.Config) {
			c.Interfaces = func() ([]discover.Interface, error) { return nil, nil }
			sock, err := lan.Listen("10.0.0.3:9000")
			if err != nil {
				t.Fatal(err)
			}
			c.Socket = plainSocket{sock}
		})
		time.Sleep(time.Minute) // it is asked anew within that
		if good := words(a, true); !strings.Contains(good, "mill-3 answered from 10.0.0.3:9000") {
			t.Errorf("after it came:\n%s", good)
		}
	})
}

// words are a finder's facts of one kind.
func words(f *finder, ok bool) string {
	var all []string
	for _, x := range f.Facts() {
		if x.OK == ok {
			all = append(all, x.Words+" / "+x.Hint)
		}
	}
	return strings.Join(all, "\n")
}

// TestAddressesNoLongerGiven: what was found out about them goes, and while a node
// is connected nobody is called silent.
func TestAddressesNoLongerGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lan := quictest.NewLAN(1)
		var seeds atomic.Value
		seeds.Store([]string{"10.0.0.3"})
		var connected atomic.Int32
		a := start(t, lan, 1, func(c *discover.Config) {
			c.Seeds = func() []string { return seeds.Load().([]string) }
			c.Connected = func() int { return int(connected.Load()) }
		})
		time.Sleep(3 * time.Second)
		if bad := words(a, false); !strings.Contains(bad, "10.0.0.3:7878 did not answer") {
			t.Errorf("it is silent:\n%s", bad)
		}
		seeds.Store([]string{"10.0.0.4", "10.0.0.1"})
		connected.Store(1)
		time.Sleep(time.Minute)
		if bad := words(a, false); bad != "" {
			t.Errorf("connected:\n%s", bad)
		}
		connected.Store(0)
		time.Sleep(time.Minute)
		if bad := words(a, false); !strings.Contains(bad, "10.0.0.4:7878 did") || strings.Contains(bad, "10.0.0.3") || strings.Contains(bad, "10.0.0.1") {
			t.Errorf("another address, and its own:\n%s", bad)
		}
	})
}

func TestPortThatIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lan := quictest.NewLAN(1)
		other, err := lan.Listen("10.0.0.1:5555")
		if err != nil {
			t.Fatal(err)
		}
		a := start(t, lan, 1, nil)
		start(t, lan, 2, nil)
		a.next(t, isNode(2)) // its own questions are answered all the same
		bad := 0
		for _, x := range a.Facts() {
			if !x.OK && strings.Contains(x.Words, "port 5555") && x.Hint != "" {
				bad++
			}
		}
		if bad != 1 {
			t.Errorf("%+v", a.Facts())
		}
		_ = other.Close()
		time.Sleep(11 * time.Second)
		for _, x := range a.Facts() {
			if !x.OK {
				t.Errorf("%+v", x)
			}
		}
	})
}

func TestPeersAndRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lan := quictest.NewLAN(1)
		a := start(t, lan, 1, func(c *discover.Config) { c.Off = append(c.Off, discover.ByProbe) })
		at := []netip.AddrPort{netip.MustParseAddrPort("10.0.0.7:1")}
		heard := discover.Sighting{Self: discover.Self{Node: nodeID(7), Port: 1, Version: 1}, Addrs: at}
		for range 100 {
			a.Observe(heard)
		}
		a.Observe(discover.Sighting{Self: discover.Self{Node: nodeID(1)}, Addrs: at}) // itself
		a.Observe(discover.Sighting{Self: discover.Self{Node: nodeID(8)}})            // nowhere
		if s := a.next(t, isNode(7)); s.Via != discover.ByPeers {
			t.Errorf("%+v", s)
		}
		synctest.Wait()
		if n := len(a.Sightings()); n != 0 {
			t.Errorf("%d repeats", n)
		}
		time.Sleep(3 * time.Second)
		a.Observe(heard)
		a.next(t, isNode(7))
		for i := range 10_000 { // nobody takes them
			heard.Name = fmt.Sprint(i)
			a.Observe(heard)
		}
	})
}

// A stranger who floods the probe port with rubbish and with probes gets few
// answers, and nobody is kept from being seen.
func TestFloodOfProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lan := quictest.NewLAN(1)
		a := start(t, lan, 1, nil)
		bad, err := lan.Listen("10.0.0.66:1")
		if err != nil {
			t.Fatal(err)
		}
		to := net.UDPAddrFromAddrPort(netip.MustParseAddrPort("10.0.0.1:5555"))
		probe := discover.ProbeForTest(discover.Self{Node: nodeID(6), Port: 1, Version: 1})
		for i := range 2000 {
			_, _ = bad.WriteTo(probe, to)
			_, _ = bad.WriteTo(probe[:i%len(probe)], to)
			time.Sleep(time.Millisecond)
		}
		synctest.Wait()
		answers := 0
		_ = bad.SetReadDeadline(time.Now().Add(time.Second))
		b := make([]byte, 2000)
		for {
			n, _, err := bad.ReadFrom(b)
			if err != nil {
				break
			}
			if n > len(probe) {
				t.Errorf("an answer of %d bytes to a probe of %d", n, len(probe))
			}
			answers++
		}
		if answers == 0 || answers > 12 {
			t.Errorf("%d answers in two seconds", answers)
		}
		start(t, lan, 2, nil)
		a.next(t, isNode(2))
		_ = bad.Close()
	})
}

// The real thing on this machine: two nodes that know of each other's existence
// only by a broadcast on the loopback interface.
func TestOnThisMachine(t *testing.T) {
	free, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	port := uint16(free.LocalAddr().(*net.UDPAddr).Port)
	_ = free.Close()
	lo := []discover.Interface{{Name: "lo", Loopback: true, Prefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8")}}}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	var all [2]*discover.Finder
	for i := range all {
		sock, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		defer sock.Close()
		if _, err := sock.WriteToUDP([]byte{0}, &net.UDPAddr{IP: net.IPv4(127, 255, 255, 255), Port: 9}); err != nil {
			t.Skip("no broadcast on the loopback interface here:", err)
		}
		self := discover.Self{Node: nodeID(i), Port: uint16(sock.LocalAddr().(*net.UDPAddr).Port), Version: 1}
		all[i] = discover.New(discover.Config{
			Self: func() discover.Self { return self }, Socket: plainSocket{sock}, ProbePort: port, Off: []discover.Rung{discover.ByMDNS},
			Interfaces: func() ([]discover.Interface, error) { return lo, nil },
		})
		wg.Go(func() { _ = all[i].Run(ctx) })
	}
	for i, f := range all {
		select {
		case s := <-f.Sightings():
			if s.Node != nodeID(1-i) {
				t.Errorf("%+v", s)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%d sees nothing: %+v", i, f.Facts())
		}
	}
}
