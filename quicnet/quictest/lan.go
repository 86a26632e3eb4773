// Package quictest is a LAN in memory for tests: sockets with latency, loss,
// partitions and pauses, and members of one cluster on it. It works in real time
// and inside testing/synctest bubbles alike.
package quictest

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"
)

// inboxLimit is how many packets wait at a socket before more are dropped, as a
// kernel's receive buffer would.
const inboxLimit = 8192

// LAN carries packets between its sockets. The chance that decides losses comes
// from a seed, but goroutines race, so a seed does not fix a run.
type LAN struct {
	mu      sync.Mutex
	rand    *rand.Rand
	socks   map[netip.AddrPort]*Sock
	latency time.Duration
	jitter  time.Duration
	loss    float64
	cut     map[[2]netip.Addr]bool // from, to
	paused  map[netip.Addr]bool
	mtu     int // of every link, headers counted; 0 carries everything
	seq     uint64
	sent    uint64
	dropped uint64
}

// NewLAN makes an empty LAN without latency or loss.
func NewLAN(seed uint64) *LAN {
	return &LAN{
		rand:   rand.New(rand.NewPCG(seed, seed)),
		socks:  make(map[netip.AddrPort]*Sock),
		cut:    make(map[[2]netip.Addr]bool),
		paused: make(map[netip.Addr]bool),
	}
}

// Listen opens a socket at "IP:PORT"; port 0 takes a free one.
func (l *LAN) Listen(addr string) (*Sock, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for ap.Port() == 0 || l.socks[ap] != nil && addrHasZeroPort(addr) {
		ap = netip.AddrPortFrom(ap.Addr(), uint16(20000+l.rand.IntN(40000)))
	}
	if l.socks[ap] != nil {
		return nil, fmt.Errorf("listen udp %s: address already in use", ap)
	}
	s := &Sock{lan: l, addr: ap, wake: make(chan struct{}, 1), closed: make(chan struct{})}
	l.socks[ap] = s
	return s, nil
}

func addrHasZeroPort(addr string) bool {
	ap, err := netip.ParseAddrPort(addr)
	return err == nil && ap.Port() == 0
}

// SetLatency delays every packet by d, and by up to jitter more.
func (l *LAN) SetLatency(d, jitter time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.latency, l.jitter = d, jitter
}

// SetLoss drops packets with probability p.
func (l *LAN) SetLoss(p float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.loss = p
}

// headerBytes is what IPv4 and UDP add to a packet's payload.
const headerBytes = 28

// SetMTU drops every packet that is larger than bytes with its IPv4 and UDP
// headers, without a word: a black hole. Zero carries packets of any size.
func (l *LAN) SetMTU(bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mtu = bytes
}

// Cut drops what goes between two hosts, both ways.
func (l *LAN) Cut(a, b string) { l.setCut(true, a, b); l.setCut(true, b, a) }

// CutOneWay drops what goes from one host to another.
func (l *LAN) CutOneWay(from, to string) { l.setCut(true, from, to) }

// Heal undoes Cut and CutOneWay between two hosts.
func (l *LAN) Heal(a, b string) { l.setCut(false, a, b); l.setCut(false, b, a) }

func (l *LAN) setCut(on bool, from, to string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut[[2]netip.Addr{netip.MustParseAddr(from), netip.MustParseAddr(to)}] = on
}

// Isolate cuts a host off from every other host that has a socket now.
func (l *LAN) Isolate(host string) {
	for _, other := range l.hosts() {
		if other != host {
			l.Cut(host, other)
		}
	}
}

func (l *LAN) hosts() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var h []string
	for ap := range l.socks {
		h = append(h, ap.Addr().String())
	}
	slices.Sort(h)
	return slices.Compact(h)
}

// HealAll undoes every cut.
func (l *LAN) HealAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.cut)
}

// Pause keeps everything that is sent to a host waiting, as for a stopped
// process; Resume delivers it.
func (l *LAN) Pause(host string) { l.setPaused(host, true) }

// Resume undoes Pause.
func (l *LAN) Resume(host string) { l.setPaused(host, false) }

func (l *LAN) setPaused(host string, on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ip := netip.MustParseAddr(host)
	l.paused[ip] = on
	for ap, s := range l.socks {
		if ap.Addr() == ip {
			s.notify()
		}
	}
}

// Counts is how many packets were sent and how many of them were dropped.
func (l *LAN) Counts() (sent, dropped uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent, l.dropped
}

// send routes one packet. Broadcasts, to an address ending in 255, go to every
// socket on that port but the sender's.
func (l *LAN) send(from, to netip.AddrPort, packet []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ip := to.Addr(); ip.Is4() && ip.As4()[3] == 255 {
		for ap, s := range l.socks {
			if ap.Port() == to.Port() && ap != from {
				l.deliver(from, s, packet)
			}
		}
		return
	}
	s := l.socks[to]
	if s == nil {
		l.sent++
		l.dropped++
		return
	}
	l.deliver(from, s, packet)
}

func (l *LAN) deliver(from netip.AddrPort, s *Sock, b []byte) {
	l.sent++
	tooBig := l.mtu > 0 && len(b)+headerBytes > l.mtu
	if tooBig || l.cut[[2]netip.Addr{from.Addr(), s.addr.Addr()}] || l.rand.Float64() < l.loss || len(s.inbox) >= inboxLimit {
		l.dropped++
		return
	}
	d := l.latency
	if l.jitter > 0 {
		d += time.Duration(l.rand.Int64N(int64(l.jitter)))
	}
	l.seq++
	heap.Push(&s.inbox, packet{due: time.Now().Add(d), seq: l.seq, from: from, data: slices.Clone(b)})
	s.notify()
}

type packet struct {
	due  time.Time
	seq  uint64
	from netip.AddrPort
	data []byte
}

// inbox is a heap by due time, then by order of sending.
type inbox []packet //nolint:recvcheck // heap.Interface wants both

func (q inbox) Len() int { return len(q) }
func (q inbox) Less(i, j int) bool {
	if !q[i].due.Equal(q[j].due) {
		return q[i].due.Before(q[j].due)
	}
	return q[i].seq < q[j].seq
}
func (q inbox) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *inbox) Push(x any)   { *q = append(*q, x.(packet)) }
func (q *inbox) Pop() any {
	old := *q
	p := old[len(old)-1]
	old[len(old)-1] = packet{}
	*q = old[:len(old)-1]
	return p
}

// Sock is a socket on a LAN. One goroutine at a time may read.
type Sock struct {
	lan    *LAN
	addr   netip.AddrPort // guarded by lan.mu, as inbox
	inbox  inbox
	wake   chan struct{}
	closed chan struct{}
	once   sync.Once

	mu       sync.Mutex
	deadline time.Time
}

var _ net.PacketConn = (*Sock)(nil)

func (s *Sock) notify() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// take removes the next packet that is due, or says how long there is to wait;
// a negative wait is for ever.
func (s *Sock) take() (packet, bool, time.Duration) {
	s.lan.mu.Lock()
	defer s.lan.mu.Unlock()
	if len(s.inbox) == 0 || s.lan.paused[s.addr.Addr()] {
		return packet{}, false, -1
	}
	if d := time.Until(s.inbox[0].due); d > 0 {
		return packet{}, false, d
	}
	return heap.Pop(&s.inbox).(packet), true, 0
}

func (s *Sock) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		select {
		case <-s.closed:
			return 0, nil, net.ErrClosed
		default:
		}
		s.mu.Lock()
		deadline := s.deadline
		s.mu.Unlock()
		if !deadline.IsZero() && !time.Now().Before(deadline) {
			return 0, nil, os.ErrDeadlineExceeded
		}
		p, ok, wait := s.take()
		if ok {
			return copy(b, p.data), net.UDPAddrFromAddrPort(p.from), nil
		}
		if !deadline.IsZero() {
			if d := time.Until(deadline); wait < 0 || d < wait {
				wait = max(d, 0)
			}
		}
		s.sleep(wait)
	}
}

// sleep waits for something new, at most for d when that is not negative.
func (s *Sock) sleep(d time.Duration) {
	var timer <-chan time.Time
	if d >= 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-s.wake:
	case <-timer:
	case <-s.closed:
	}
}

func (s *Sock) WriteTo(b []byte, addr net.Addr) (int, error) {
	select {
	case <-s.closed:
		return 0, net.ErrClosed
	default:
	}
	u, ok := addr.(*net.UDPAddr)
	if !ok {
		return 0, fmt.Errorf("quictest: cannot send to %v", addr)
	}
	to := u.AddrPort()
	s.lan.send(s.at(), netip.AddrPortFrom(to.Addr().Unmap(), to.Port()), b)
	return len(b), nil
}

// Close frees the address.
func (s *Sock) Close() error {
	s.once.Do(func() {
		close(s.closed)
		s.lan.mu.Lock()
		defer s.lan.mu.Unlock()
		delete(s.lan.socks, s.addr)
	})
	return nil
}

func (s *Sock) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(s.at()) }

func (s *Sock) at() netip.AddrPort {
	s.lan.mu.Lock()
	defer s.lan.mu.Unlock()
	return s.addr
}

// Move gives the socket another address, as when a machine gets a new lease from
// DHCP: what is sent to the old one is lost from now on.
func (s *Sock) Move(addr string) error {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return err
	}
	s.lan.mu.Lock()
	defer s.lan.mu.Unlock()
	if s.lan.socks[to] != nil {
		return fmt.Errorf("move to %s: address already in use", to)
	}
	delete(s.lan.socks, s.addr)
	s.addr = to
	s.lan.socks[to] = s
	return nil
}

func (s *Sock) SetDeadline(t time.Time) error { return s.SetReadDeadline(t) }

func (s *Sock) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	s.deadline = t
	s.mu.Unlock()
	s.notify()
	return nil
}

// SetWriteDeadline does nothing: writes never block.
func (s *Sock) SetWriteDeadline(time.Time) error { return nil }

// SetReadBuffer keeps quic-go from complaining.
func (s *Sock) SetReadBuffer(int) error { return nil }

// SetWriteBuffer keeps quic-go from complaining.
func (s *Sock) SetWriteBuffer(int) error { return nil }
