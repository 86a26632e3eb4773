//go:build unix && !linux

package discover

import "golang.org/x/sys/unix"

// sharePort: on BSD and macOS SO_REUSEADDR alone does not share a port.
func sharePort(fd int) error {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
}
