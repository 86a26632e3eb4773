package discover

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/adauldev/octaskly/queue/task"
)

// maxTXT bounds all text of a record that is read.
const maxTXT = 1024

// text is what a node says of itself in a TXT record, as "key=value" pairs:
// v version, id node, c cluster, p port, n name, a addresses, q=1 asks, d=1
// dispatches.
func (s Self) text(addrs []netip.Addr) []string {
	pairs := []string{"v=" + strconv.Itoa(int(s.Version)), "id=" + string(s.Node), "p=" + strconv.Itoa(int(s.Port))}
	if s.Cluster != "" {
		pairs = append(pairs, "c="+s.Cluster)
	}
	if n := cutName(s.Name); n != "" {
		pairs = append(pairs, "n="+n)
	}
	if s.Asks {
		pairs = append(pairs, "q=1")
	}
	if s.Dispatches {
		pairs = append(pairs, "d=1")
	}
	var list strings.Builder
	for i, x := range addrs {
		if i == 4 {
			break
		}
		if i > 0 {
			list.WriteByte(',')
		}
		list.WriteString(x.WithZone("").String())
	}
	if list.Len() > 0 {
		pairs = append(pairs, "a="+list.String())
	}
	return pairs
}

// parseText reads a TXT record. Keys that it does not know are left alone; a
// record that says a key twice, or nonsense, is refused.
func parseText(pairs []string) (s Self, addrs []netip.Addr, ok bool) {
	seen, size := map[string]bool{}, 0
	for _, pair := range pairs {
		key, val, _ := strings.Cut(pair, "=")
		if size += len(pair); size > maxTXT || seen[key] {
			return Self{}, nil, false
		}
		seen[key] = true
		var err error
		switch key {
		case "v":
			s.Version, err = parse16(val)
		case "p":
			s.Port, err = parse16(val)
		case "id":
			s.Node = task.NodeID(val)
		case "c":
			s.Cluster = val
		case "n":
			s.Name = val
		case "q":
			s.Asks = val == "1"
		case "d":
			s.Dispatches = val == "1"
		case "a":
			addrs, err = parseAddrs(val)
		}
		if err != nil {
			return Self{}, nil, false
		}
	}
	return s, addrs, s.valid()
}

func parse16(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	return uint16(n), err
}

func parseAddrs(s string) ([]netip.Addr, error) {
	var out []netip.Addr
	for _, w := range strings.Split(s, ",") {
		a, err := netip.ParseAddr(w)
		if err != nil {
			return nil, err
		}
		if usable(a) && len(out) < maxAddrs {
			out = append(out, a)
		}
	}
	return out, nil
}

// usable reports whether an address from outside may be dialled at all. A
// link-local one without a zone says nothing to anybody else.
func usable(a netip.Addr) bool {
	if a.Is6() && a.IsLinkLocalUnicast() && a.Zone() == "" {
		return false
	}
	return a.IsValid() && !a.IsMulticast() && !a.IsUnspecified() && !a.IsLoopback() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}
