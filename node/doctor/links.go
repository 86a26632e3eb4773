package doctor

import (
	"fmt"
	"net"
)

// Bytes that a link must carry in one packet, with IPv4 or IPv6 and UDP around
// QUIC's smallest.
const leastMTU = 1248

// usualMTU is what links carry that are no tunnel.
const usualMTU = 1500

// examineLinks looks at what this machine's links carry in one packet.
func examineLinks() []Finding {
	var all []Finding
	list, _ := net.Interfaces() // hidden on some systems
	for _, i := range list {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		if f := judgeLink(i.Name, i.MTU); f.Level != OK {
			all = append(all, f)
		}
	}
	return all
}

// judgeLink says whether packets of an MTU suffice. The path behind a link may be
// narrower than the link.
func judgeLink(name string, mtu int) Finding {
	text := fmt.Sprintf("%s carries packets of up to %d bytes", name, mtu)
	switch {
	case mtu <= 0 || mtu >= usualMTU:
		return Finding{"links", OK, text, ""}
	case mtu >= leastMTU:
		return Finding{"links", Info, text + ": enough, as of most tunnels", ""}
	}
	return Finding{"links", Warning, fmt.Sprintf("%s; nodes talk in packets of %d or more", text, leastMTU), fmt.Sprintf("raise the MTU of %s, or reach the other nodes by another link", name)}
}
