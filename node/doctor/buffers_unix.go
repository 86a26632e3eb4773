//go:build unix

package doctor

import (
	"net"
	"runtime"
	"syscall"
)

// bufferSizes is what the kernel gives a socket for reading and writing.
func bufferSizes(conn *net.UDPConn) (in, out int, ok bool) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, 0, false
	}
	var inErr, outErr error
	err = raw.Control(func(fd uintptr) {
		in, inErr = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF)
		out, outErr = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF)
	})
	if runtime.GOOS == "linux" || runtime.GOOS == "android" { // which tells twice the size that counts
		in, out = in/2, out/2
	}
	return in, out, err == nil && inErr == nil && outErr == nil
}
