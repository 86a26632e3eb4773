package discover

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// Rates of answers to probes.
const (
	answerEvery   = 250 * time.Millisecond // to one address
	maxAskers     = 1024                   // addresses remembered
	relistenEvery = 10 * time.Second
)

// probe asks on every interface.
func (f *Finder) probe(ctx context.Context, ifaces []Interface) {
	b := packet{Self: f.cfg.Self(), kind: kindProbe, nonce: rand.Uint64()}.encode()
	if len(ifaces) == 0 {
		f.sendProbe(ctx, b, "", netip.AddrFrom4([4]byte{255, 255, 255, 255}))
	}
	for _, i := range ifaces {
		for _, to := range i.broadcasts() {
			f.sendProbe(ctx, b, i.Name, to)
		}
	}
}

func (f *Finder) sendProbe(ctx context.Context, b []byte, iface string, to netip.Addr) {
	at := netip.AddrPortFrom(to, f.cfg.ProbePort)
	x := Fact{Rung: ByProbe, Interface: iface, about: family(to), OK: true, Words: fmt.Sprintf("probed %s", at)}
	if err := f.cfg.Socket.WriteTo(ctx, b, net.UDPAddrFromAddrPort(at)); err != nil {
		if ctx.Err() != nil {
			return
		}
		x.OK, x.Words = false, fmt.Sprintf("probe of %s: %s", at, sendWords(err))
		x.Hint = "a firewall, or an interface without a route; give an address with --dispatcher HOST"
	}
	f.fact(x)
}

// sendWords says why a packet could not be sent.
func sendWords(err error) string {
	var sys *os.SyscallError
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "there is no address to send from yet"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "no route leads there"
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return "this machine's own firewall does not let it out"
	case errors.As(err, &sys):
		return sys.Err.Error()
	}
	return err.Error()
}

func family(a netip.Addr) string {
	if a.Is4() {
		return "ipv4"
	}
	return "ipv6"
}

// hear listens for the probes of others until ctx ends. Without the port, others
// may still be found.
func (f *Finder) hear(ctx context.Context) {
	for ctx.Err() == nil {
		conn, err := f.cfg.Listen(f.cfg.ProbePort)
		if err != nil {
			f.fact(Fact{
				Rung: ByProbe, Words: fmt.Sprintf("listen on UDP port %d: %v", f.cfg.ProbePort, err),
				Hint: "another program has it, or it is not allowed; --discovery-port takes another one, the same on all nodes",
			})
			wait(ctx, relistenEvery)
			continue
		}
		f.fact(Fact{Rung: ByProbe, OK: true, Words: fmt.Sprintf("listens on UDP port %d", f.cfg.ProbePort)})
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		err = f.answerAll(ctx, conn)
		stop()
		_ = conn.Close()
		if ctx.Err() == nil {
			f.fact(Fact{Rung: ByProbe, Words: fmt.Sprintf("UDP port %d: %v", f.cfg.ProbePort, err)})
			wait(ctx, time.Second)
		}
	}
}

// answerAll answers probes and takes them as sightings.
func (f *Finder) answerAll(ctx context.Context, conn net.PacketConn) error {
	var a answers
	b := make([]byte, probeSize+1)
	for {
		n, from, err := conn.ReadFrom(b)
		if err != nil {
			return err
		}
		f.take(ctx, b[:n], from, &a)
	}
}

// hearAnswers reads what came to the node's own socket.
func (f *Finder) hearAnswers(ctx context.Context) {
	var a answers
	b := make([]byte, 2048)
	for ctx.Err() == nil {
		n, from, err := f.cfg.Socket.ReadNonQUIC(ctx, b)
		if err != nil {
			wait(ctx, time.Second)
			continue
		}
		f.take(ctx, b[:n], from, &a)
	}
}

// take looks at one packet from outside.
func (f *Finder) take(ctx context.Context, b []byte, from net.Addr, limits *answers) {
	src, ok := addrPort(from)
	got, err := decode(b)
	self := f.cfg.Self()
	if err != nil || !ok {
		return
	}
	if got.kind == kindAnswer || got.Node == self.Node { // a node that is given its own address hears its own probe
		f.answered(got)
	}
	if got.Node == self.Node {
		return
	}
	if !got.Looks {
		f.see(Sighting{Self: got.Self, Addrs: []netip.AddrPort{src}, Via: ByProbe})
	}
	if got.kind != kindProbe || self.Looks || !limits.allow(src.Addr(), time.Now()) {
		return
	}
	reply := packet{Self: self, kind: kindAnswer, nonce: got.nonce}.encode()
	if err := f.cfg.Socket.WriteTo(ctx, reply, net.UDPAddrFromAddrPort(src)); err != nil && !errors.Is(err, context.Canceled) {
		f.log.Debug("answer to a probe", "to", src.String(), "error", err)
	}
}

func addrPort(a net.Addr) (netip.AddrPort, bool) {
	u, ok := a.(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}, false
	}
	ap := u.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), ap.IsValid()
}

// answers limits answers: one address gets four a second, and so many addresses
// that they cannot be remembered get none.
type answers struct{ last map[netip.Addr]time.Time }

func (a *answers) allow(src netip.Addr, now time.Time) bool {
	if now.Sub(a.last[src]) < answerEvery {
		return false
	}
	if a.last == nil {
		a.last = make(map[netip.Addr]time.Time)
	}
	if _, known := a.last[src]; !known && len(a.last) >= maxAskers {
		for k, at := range a.last {
			if now.Sub(at) >= answerEvery {
				delete(a.last, k)
			}
		}
		if len(a.last) >= maxAskers {
			return false
		}
	}
	a.last[src] = now
	return true
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
