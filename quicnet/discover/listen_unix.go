//go:build unix

package discover

import (
	"context"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// listenShared opens a UDP port that all nodes of this machine hear together: a
// broadcast reaches every one of them.
func listenShared(port uint16) (net.PacketConn, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		cerr := c.Control(func(fd uintptr) { err = share(int(fd)) })
		if cerr != nil {
			return cerr
		}
		return err
	}}
	conn, err := lc.ListenPacket(context.Background(), "udp", fmt.Sprintf(":%d", port))
	if err != nil { // a machine without IPv6
		conn, err = lc.ListenPacket(context.Background(), "udp4", fmt.Sprintf(":%d", port))
	}
	return conn, err
}

func share(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	return sharePort(fd)
}
