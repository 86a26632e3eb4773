//go:build darwin || freebsd

package local

import "golang.org/x/sys/unix"

func peerCred(fd int) (uid, pid int, err error) {
	c, err := unix.GetsockoptXucred(fd, solLocal, unix.LOCAL_PEERCRED)
	if err != nil {
		return -1, 0, err
	}
	return int(c.Uid), 0, nil
}

// solLocal is the socket level of local options, SOL_LOCAL.
const solLocal = 0
