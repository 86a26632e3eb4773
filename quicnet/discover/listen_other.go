//go:build !unix

package discover

import (
	"fmt"
	"net"
)

// listenShared opens the port for one node of this machine; further ones find
// their neighbours by the other rungs.
func listenShared(port uint16) (net.PacketConn, error) {
	return net.ListenPacket("udp", fmt.Sprintf(":%d", port))
}
