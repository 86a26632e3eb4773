package discover

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// resolveTime bounds how long one name may take.
const resolveTime = 3 * time.Second

// ParseSeed splits an address as it is given by hand: a name or an IP address,
// with or without a port. Port is 0 when there was none.
func ParseSeed(s string) (host string, port uint16, err error) {
	bad := func(why string) (string, uint16, error) {
		return "", 0, task.Errorf(task.KindUsage, "%q is not an address: %s", s, why).
			WithHint("write a name or an IP address, with or without a port: 192.168.1.20 or mill-01:7878")
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) || s == "" || len(s) > 300 {
		return bad("it is empty, too long or has blanks in it")
	}
	bare := s
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		bare = s[1 : len(s)-1]
	}
	if ip, perr := netip.ParseAddr(bare); perr == nil {
		return ip.String(), 0, nil
	}
	if !strings.Contains(s, ":") {
		return s, 0, nil
	}
	h, p, serr := net.SplitHostPort(s)
	if serr != nil || h == "" {
		return bad("an IPv6 address with a port is written [ADDRESS]:PORT")
	}
	n, perr := strconv.ParseUint(p, 10, 16)
	if perr != nil || n == 0 {
		return bad(fmt.Sprintf("%q is not a port", p))
	}
	return h, uint16(n), nil
}

// seeds turns the given addresses into sightings, and probes those without a
// port.
func (f *Finder) seeds(ctx context.Context) {
	for _, s := range f.cfg.Seeds() {
		host, port, err := ParseSeed(s)
		if err != nil {
			f.fact(Fact{Rung: ByAddress, about: s, Words: err.Error(), Hint: task.HintOf(err)})
			continue
		}
		ips, err := f.lookup(ctx, host)
		if err != nil || len(ips) == 0 {
			if ctx.Err() == nil {
				f.fact(Fact{Rung: ByAddress, about: s, Words: fmt.Sprintf("find the address of %s: %v", host, err), Hint: "check the name, or give an IP address"})
			}
			continue
		}
		f.fact(Fact{Rung: ByAddress, about: s, OK: true, Words: fmt.Sprintf("%s is %v", s, ips)})
		if port == 0 {
			f.probeSeed(ctx, ips)
			port = f.cfg.DialPort
		}
		var at []netip.AddrPort
		for _, ip := range ips {
			at = append(at, netip.AddrPortFrom(ip.Unmap(), port))
		}
		f.see(Sighting{Addrs: at, Given: net.JoinHostPort(host, strconv.Itoa(int(port))), Via: ByAddress})
	}
}

func (f *Finder) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	return f.cfg.Resolve(ctx, host)
}

// probeSeed asks a machine for the ports of its nodes.
func (f *Finder) probeSeed(ctx context.Context, ips []netip.Addr) {
	b := packet{Self: f.cfg.Self(), kind: kindProbe, nonce: rand.Uint64()}.encode()
	for _, ip := range ips {
		to := netip.AddrPortFrom(ip.Unmap(), f.cfg.ProbePort)
		if err := f.cfg.Socket.WriteTo(ctx, b, net.UDPAddrFromAddrPort(to)); err != nil && ctx.Err() == nil {
			f.log.Debug("probe of a given address", "to", to.String(), "error", err)
		}
	}
}
