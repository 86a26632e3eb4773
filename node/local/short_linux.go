package local

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// shortened calls use with a name for dir/name that is short enough for a socket
// address: through the open folder when the path itself is too long.
func shortened(dir, name string, use func(path string) error) error {
	if p := filepath.Join(dir, name); len(p) < maxPath {
		return use(p)
	}
	f, err := os.OpenFile(dir, syscall.O_DIRECTORY|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return use(fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), name))
}

func peerCred(fd int) (uid, pid int, err error) {
	c, err := syscall.GetsockoptUcred(fd, syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	if err != nil {
		return -1, 0, err
	}
	return int(c.Uid), int(c.Pid), nil
}
