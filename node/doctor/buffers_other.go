//go:build !unix

package doctor

import "net"

// bufferSizes is not known on this system.
func bufferSizes(*net.UDPConn) (in, out int, ok bool) { return 0, 0, false }
