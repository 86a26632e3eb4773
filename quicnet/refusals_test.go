package quicnet

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

// TestRefusalsAreCounted: a node that is refused twice a second for an hour costs
// a line in ten minutes, and a flood of addresses one a second.
func TestRefusalsAreCounted(t *testing.T) {
	var r refusals
	now, lines, counted := time.Unix(1e9, 0), 0, 0
	one := netip.MustParseAddr("192.0.2.1")
	for range 7200 {
		if times, _, due := r.count(one, now); due {
			lines, counted = lines+1, counted+times
		}
		now = now.Add(time.Second / 2)
	}
	if lines != 6 || counted < 6000 {
		t.Errorf("%d lines for %d of 7200 refusals, want 6", lines, counted)
	}
	lines, counted = 0, 0
	for i := range 5000 {
		if _, others, due := r.count(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), now); due {
			lines, counted = lines+1, counted+1+others
		}
		now = now.Add(time.Millisecond)
	}
	if lines != 5 || counted < 4000 {
		t.Errorf("%d lines for %d of 5000 addresses, want 5", lines, counted)
	}
}

// TestOwnAddress: a node does not dial itself, however it is called.
func TestOwnAddress(t *testing.T) {
	interfaces := func() ([]net.Addr, error) {
		return []net.Addr{&net.IPNet{IP: net.IPv4(192, 0, 2, 7), Mask: net.CIDRMask(24, 32)}}, nil
	}
	anywhere := &net.UDPAddr{IP: net.IPv6unspecified, Port: 7878}
	one := &net.UDPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 7878}
	for _, c := range []struct {
		local *net.UDPAddr
		to    string
		want  bool
	}{
		{anywhere, "127.0.0.1:7878", true},
		{anywhere, "[::1]:7878", true},
		{anywhere, "192.0.2.7:7878", true},
		{anywhere, "192.0.2.7:7879", false},
		{anywhere, "127.0.0.1:7879", false},
		{anywhere, "192.0.2.8:7878", false},
		{one, "192.0.2.7:7878", true},
		{one, "127.0.0.1:7878", false},
	} {
		if got := isOwn(c.local, netip.MustParseAddrPort(c.to), interfaces); got != c.want {
			t.Errorf("bound to %v, %s is its own: %v, want %v", c.local, c.to, got, c.want)
		}
	}
}
