package discover

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/logging"
	"github.com/pion/mdns/v2"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

const (
	mdnsService = "_octaskly._udp"
	browseTime  = 3 * time.Second // an open browse collects whatever it hears, so none stays open
	browseMost  = 512             // this many answers to one question are a flood
	packetsMost = 500             // this many packets in a second are one, too
	mdnsRest    = 30 * time.Second
)

// mdnsRung announces this node and asks for others. A nil one does nothing.
type mdnsRung struct {
	f    *Finder
	conn *mdns.Conn

	events atomic.Int32 // events since the last question
	stop   func()       // ends the last browse
}

// openMDNS sets the rung up on the interfaces of the moment: the library reads
// them once.
func (f *Finder) openMDNS(self Self, ifaces []Interface) *mdnsRung {
	if !f.on(ByMDNS) {
		return nil
	}
	for _, i := range ifaces {
		if !i.Loopback {
			f.fact(multicastFact(i))
		}
	}
	p4, err4 := multicast4()
	p6, err6 := multicast6()
	f.mdnsFact("ipv4", err4)
	f.mdnsFact("ipv6", err6)
	if p4 == nil && p6 == nil {
		return nil
	}
	conn, err := mdns.NewServer(p4, p6, mdnsOptions(self, ifaces, quietFactory{f.log, &packetRate{over: f.flood}})...)
	if err != nil {
		if p4 != nil {
			_ = p4.Close()
		}
		if p6 != nil {
			_ = p6.Close()
		}
		f.fact(Fact{Rung: ByMDNS, Words: "mDNS: " + err.Error(), Hint: "nodes are still found by the probe and by address"})
		return nil
	}
	does := "announces and browses "
	if self.Looks {
		does = "browses "
	}
	f.fact(Fact{Rung: ByMDNS, OK: true, Words: does + mdnsService})
	m := &mdnsRung{f: f, conn: conn, stop: func() {}}
	conn.OnServiceDiscovered(func(e mdns.ServiceEvent) {
		switch n := m.events.Add(1); {
		case n < browseMost:
			f.sawService(e)
		case n == browseMost:
			f.flood()
		}
	})
	return m
}

func mdnsOptions(self Self, ifaces []Interface, log quietFactory) []mdns.ServerOption {
	onlyLoopback := true
	for _, i := range ifaces {
		onlyLoopback = onlyLoopback && i.Loopback
	}
	opts := []mdns.ServerOption{
		mdns.WithQueryInterval(time.Hour), // each browse asks once, at our pace
		mdns.WithCacheRefresh(false),
		mdns.WithIncludeLoopback(onlyLoopback),
		mdns.WithLoggerFactory(log),
	}
	if self.Looks {
		return opts
	}
	return append(opts,
		mdns.WithName(string(self.Node)),
		mdns.WithLocalNames("oct-"+string(self.Node)+".local"),
		mdns.WithService(mdns.ServiceInstance{Instance: string(self.Node), Service: mdnsService, Port: self.Port, Text: mdnsText(self, ifaces)}))
}

func mdnsText(self Self, ifaces []Interface) (text []mdns.TXTEntry) {
	for _, pair := range self.text(reachable(ifaces)) {
		key, val, _ := strings.Cut(pair, "=")
		text = append(text, mdns.NewTXTString(key, val))
	}
	return text
}

// flood says that there is more to hear than there can be nodes.
func (f *Finder) flood() {
	select {
	case f.flooded <- struct{}{}:
	default:
	}
}

// announce tells everybody what this node says of itself now.
func (m *mdnsRung) announce(self Self, ifaces []Interface) {
	if m == nil || self.Looks {
		return
	}
	if err := m.conn.UpdateTXT(string(self.Node), mdnsService, mdnsText(self, ifaces)); err != nil {
		m.f.fact(Fact{Rung: ByMDNS, Words: "mDNS announcement: " + err.Error(), Hint: "nodes are still found by the probe and by address"})
	}
}

func multicastFact(i Interface) Fact {
	if i.Deaf {
		return Fact{Rung: ByMDNS, Interface: i.Name, Words: "it carries no multicast", Hint: "nodes are still found by the probe and by address"}
	}
	return Fact{Rung: ByMDNS, Interface: i.Name, OK: true, Words: "asks by multicast"}
}

func (f *Finder) mdnsFact(family string, err error) {
	x := Fact{Rung: ByMDNS, about: family, OK: err == nil, Words: "UDP port 5353 over " + family}
	if err != nil {
		x.Words = fmt.Sprintf("listen on UDP port 5353 over %s: %v", family, err)
		x.Hint = "nodes are still found by the probe and by address"
	}
	f.fact(x)
}

// multicast4 and multicast6 open the shared port. Go turns a multicast address
// into a wildcard bind with SO_REUSEADDR; the library joins the groups.
func multicast4() (*ipv4.PacketConn, error) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(224, 0, 0, 0), Port: 5353})
	if err != nil {
		return nil, err
	}
	return ipv4.NewPacketConn(c), nil
}

func multicast6() (*ipv6.PacketConn, error) {
	c, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.ParseIP("ff02::"), Port: 5353})
	if err != nil {
		return nil, err
	}
	return ipv6.NewPacketConn(c), nil
}

// browse asks once; answers come for a few seconds.
func (m *mdnsRung) browse(ctx context.Context) {
	if m == nil {
		return
	}
	m.stop() // at most one is open
	ctx, cancel := context.WithTimeout(ctx, browseTime)
	m.stop = cancel
	m.events.Store(0)
	context.AfterFunc(ctx, cancel)
	if err := m.conn.Browse(ctx, mdnsService); err != nil {
		cancel()
		m.f.fact(Fact{Rung: ByMDNS, Words: "mDNS question: " + err.Error()})
	}
}

func (m *mdnsRung) close() {
	if m != nil {
		m.stop()
		_ = m.conn.Close()
	}
}

// sawService is called on the library's read loop: it must not block. Anybody on
// the network can have said this.
func (f *Finder) sawService(event mdns.ServiceEvent) {
	if !strings.EqualFold(strings.TrimSuffix(event.Instance.Service, "."), mdnsService) || len(event.Instance.Text) > 32 {
		return
	}
	var pairs []string
	for _, t := range event.Instance.Text {
		pairs = append(pairs, t.Key+"="+string(t.Value))
	}
	self, addrs, ok := parseText(pairs)
	if !ok {
		return
	}
	if a := event.Addr.Unmap(); a.IsValid() && !a.IsMulticast() && !a.IsUnspecified() {
		addrs = append([]netip.Addr{a}, addrs...)
	}
	var at []netip.AddrPort
	for i, a := range addrs {
		if i == 0 || a != addrs[0] {
			at = append(at, netip.AddrPortFrom(a, self.Port))
		}
	}
	f.see(Sighting{Self: self, Addrs: at, Via: ByMDNS})
}

// packetRate counts packets, and calls over when there are too many in a second.
type packetRate struct {
	over func()

	mu     sync.Mutex
	second int64
	count  int
}

func (r *packetRate) packet(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := now.Unix(); s != r.second {
		r.second, r.count = s, 0
	}
	if r.count++; r.count == packetsMost {
		r.over()
	}
}

// quietFactory sends the library's words to our log; by itself it writes to
// stderr. What it says of each packet is counted: there is no other way to learn
// how many come.
type quietFactory struct {
	log  *slog.Logger
	rate *packetRate
}

func (q quietFactory) NewLogger(string) logging.LeveledLogger { return quietLogger(q) }

const packetWords = "[%s] got read on"

type quietLogger quietFactory

func (q quietLogger) say(words string) { q.log.Debug("mdns", "words", words) }

func (quietLogger) Trace(string)          {}
func (quietLogger) Tracef(string, ...any) {}
func (quietLogger) Debug(string)          {}
func (q quietLogger) Debugf(format string, _ ...any) {
	if strings.HasPrefix(format, packetWords) {
		q.rate.packet(time.Now())
	}
}
func (q quietLogger) Info(s string)                 { q.say(s) }
func (q quietLogger) Infof(format string, a ...any) { q.say(fmt.Sprintf(format, a...)) }
func (q quietLogger) Warn(s string)                 { q.say(s) }
func (q quietLogger) Warnf(format string, a ...any) { q.say(fmt.Sprintf(format, a...)) }
func (q quietLogger) Error(s string)                { q.say(s) }
func (q quietLogger) Errorf(format string, a ...any) {
	q.say(fmt.Sprintf(format, a...))
}
