package discover

import (
	"net"
	"net/netip"
	"slices"
)

// Interface is one network interface that is up.
type Interface struct {
	Name     string
	Loopback bool
	Deaf     bool           // it does no multicast
	Prefixes []netip.Prefix // its addresses with their networks
}

// systemInterfaces lists the interfaces that are up and have addresses, by name.
func systemInterfaces() ([]Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var up []Interface
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // gone in between
		}
		x := Interface{Name: i.Name, Loopback: i.Flags&net.FlagLoopback != 0, Deaf: i.Flags&net.FlagMulticast == 0}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				x.Prefixes = append(x.Prefixes, p)
			}
		}
		if len(x.Prefixes) > 0 {
			up = append(up, x)
		}
	}
	return up, nil
}

func sameInterfaces(a, b []Interface) bool {
	return slices.EqualFunc(a, b, func(x, y Interface) bool {
		return x.Name == y.Name && x.Loopback == y.Loopback && x.Deaf == y.Deaf && slices.Equal(x.Prefixes, y.Prefixes)
	})
}

// broadcasts are where a probe reaches every machine on the interface: the
// directed broadcast of each IPv4 network, and all IPv6 nodes on the link.
func (i Interface) broadcasts() []netip.Addr {
	var out []netip.Addr
	v6 := false
	for _, p := range i.Prefixes {
		a := p.Addr()
		switch {
		case a.Is4() && p.Bits() <= 30:
			b, n := a.As4(), p.Bits()
			for bit := n; bit < 32; bit++ {
				b[bit/8] |= 0x80 >> (bit % 8)
			}
			out = append(out, netip.AddrFrom4(b))
		case a.Is6():
			v6 = true
		}
	}
	if v6 && !i.Loopback {
		out = append(out, netip.MustParseAddr("ff02::1").WithZone(i.Name))
	}
	return out
}

// reachable are the addresses under which others may reach this machine: no
// loopback, link-local only for want of others.
func reachable(ifaces []Interface) []netip.Addr {
	var good, local []netip.Addr
	for _, i := range ifaces {
		for _, p := range i.Prefixes {
			a := p.Addr()
			switch {
			case i.Loopback || a.IsLoopback() || a.IsMulticast() || a.IsUnspecified():
			case a.IsLinkLocalUnicast():
				local = append(local, a.WithZone(""))
			default:
				good = append(good, a)
			}
		}
	}
	if len(good) == 0 {
		good = local
	}
	// IPv4 first: it is what most LANs route.
	slices.SortStableFunc(good, func(a, b netip.Addr) int { return b2i(a.Is6()) - b2i(b.Is6()) })
	return good
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
