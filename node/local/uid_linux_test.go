package local

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// Another user reaches the socket although its folder should keep him out: the
// node hangs up before it says a word. Needs root to become another user.
func TestOtherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir := home(t)
	l := run(t, Place{Dir: dir, N: 1}, key(1))
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(l.Address(), 0o666); err != nil {
		t.Fatal(err)
	}
	type result struct {
		n   int
		err error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with its new user
		const nobody = 65534
		if _, _, e := syscall.RawSyscall(syscall.SYS_SETRESUID, nobody, nobody, nobody); e != 0 {
			done <- result{0, e}
			return
		}
		fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		if err == nil {
			defer syscall.Close(fd)
			err = syscall.Connect(fd, &syscall.SockaddrUnix{Name: l.Address()})
		}
		if err != nil {
			done <- result{0, err}
			return
		}
		n, err := syscall.Read(fd, make([]byte, 100))
		done <- result{n, err}
	}()
	if r := <-done; r.n != 0 || r.err != nil {
		t.Errorf("another user was told %d bytes, %v", r.n, r.err)
	}
}

func TestFilesOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir := home(t)
	file := filepath.Join(dir, "local.key")
	if err := os.WriteFile(file, []byte(strings.Repeat("00", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("unix", filepath.Join(dir, "1.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for _, f := range []string{file, filepath.Join(dir, "1.sock"), dir} {
		if err := os.Chown(f, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	for name, try := range map[string]func() error{
		"the key":    func() error { _, err := LoadKey(file); return err },
		"the socket": func() error { _, err := Dial(t.Context(), filepath.Join(dir, "1.sock"), key(1), Ask); return err },
		"the folder": func() error { _, err := Listen(Place{Dir: dir, N: 2}, key(1)); return err },
	} {
		if err := try(); err == nil || !strings.Contains(err.Error(), "belongs to user 65534") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A folder for sockets that is not ours is not used; the node has its own.
	l := run(t, Place{Runtime: filepath.Join(dir, "octaskly"), Dir: home(t), N: 1}, key(1))
	if strings.HasPrefix(l.Address(), dir) {
		t.Errorf("the socket is in the folder of another user: %s", l.Address())
	}
}
