package exec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// attempt is one thing a contained thread tries.
type attempt struct {
	name string
	do   func() error
	want error // nil: it must succeed
}

// selfTest proves that a confinement holds here, by trying what it forbids and
// what it allows on a thread of its own, and by looking from outside at a
// process it contains.
func (c *confinement) selfTest() error {
	if c.caged {
		return c.testCage()
	}
	home, err := c.dirs.get()
	if err != nil {
		return err
	}
	defer func() { _ = c.dirs.put(home, false) }()
	secret := home.path + ".secret"
	if err := os.WriteFile(secret, nil, 0o600); err != nil {
		return fmt.Errorf("test the sandbox: %w", err)
	}
	defer os.Remove(secret)
	onOwnThread(func() {
		if _, err = c.apply(home.path); err == nil {
			err = c.try(home.work(), secret)
		}
	})
	if err != nil {
		return err
	}
	return c.lookFromOutside(home.work())
}

// rehearsal is what a command of the self-test does. It needs all that tasks need: a
// way to its directory, a program, and to write where it is.
const rehearsal = `cd "$HOME" && cd "$OLDPWD" && echo ready > rehearsal && cat rehearsal && rm rehearsal`

// rehearse runs a command at a level in the very way a task is run: a level that
// holds, but at which nothing runs, is not there.
func (r *Runner) rehearse(l Level) error {
	var out, problem strings.Builder
	spec := Spec{
		Shell: rehearsal, Level: l, Cookie: r.newCookie(), Timeout: rehearsalTime, Grace: -1,
		Output: func(s Stream, p []byte) {
			if s == Stderr {
				problem.Write(p)
				return
			}
			out.Write(p)
		},
	}
	run, err := r.start(context.Background(), &spec)
	if err != nil {
		return fmt.Errorf("no command runs: %w", err)
	}
	if res := run.Wait(); res.Reason != ReasonExit || res.Code != 0 || out.String() != "ready\n" {
		return fmt.Errorf("no command runs as it should: it ended by %s with code %d: %s", res.Reason, res.Code,
			strings.TrimSpace(orElse(problem.String(), res.Message)))
	}
	return nil
}

// rehearsalTime is more than any machine needs for it.
const rehearsalTime = time.Minute

// try makes every attempt on the calling, confined thread.
func (c *confinement) try(home, secret string) error {
	all := append(fileAttempts(home, secret), callAttempts()...)
	if c.user == nil { // else this thread, which is root's still, may more than commands
		all = append(all, metadataAttempts(home, secret, c.supervised)...)
	}
	if c.level >= Strict {
		all = append(all, strictAttempts()...)
	}
	return tryAll(all)
}

// tryAll makes attempts until one does not end as it should.
func tryAll(all []attempt) error {
	for _, a := range all {
		switch err := a.do(); {
		case a.want == nil && err != nil:
			return fmt.Errorf("the sandbox forbids too much: %s: %w", a.name, err)
		case a.want != nil && !errors.Is(err, a.want):
			return fmt.Errorf("the sandbox does not hold: %s gave %v, not %v", a.name, err, a.want) //nolint:errorlint // what it gave may be nil
		}
	}
	return nil
}

// open opens a file and closes it again.
func open(path string, flags int) func() error {
	return func() error {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
		if err == nil {
			unix.Close(fd)
		}
		return err
	}
}

func fileAttempts(home, secret string) []attempt {
	const create = unix.O_CREAT | unix.O_RDWR | unix.O_EXCL
	return []attempt{
		{"write in the own directory", open(filepath.Join(home, "mine"), create), nil},
		{"read a system file", open("/etc/passwd", unix.O_RDONLY), nil},
		{"write to /dev/null", open("/dev/null", unix.O_RDWR), nil},
		{"read random numbers", open("/dev/urandom", unix.O_RDONLY), nil},
		{"read beside the own directory", open(secret, unix.O_RDONLY), unix.EACCES},
		{"write beside the own directory", open(secret+"2", create), unix.EACCES},
		{"write in /tmp", open(filepath.Join(os.TempDir(), ".octaskly-"+filepath.Base(home)), create), unix.EACCES},
		{"change a system file", open("/etc/passwd", unix.O_RDWR), unix.EACCES},
		{"change another's turn", raw(unix.SYS_SCHED_SETPARAM, 0x7fffffff), unix.EPERM},
		{"truncate a system file", func() error { return unix.Truncate(secret, 0) }, unix.EACCES},
		{"link out of the own directory", moving(unix.Link, secret, filepath.Join(home, "link")), unix.EACCES},
		{"rename out of the own directory", moving(unix.Rename, filepath.Join(home, "mine"), secret+"3"), unix.EACCES},
	}
}

// metadataAttempts are about what Landlock has no right for.
func metadataAttempts(home, secret string, supervised bool) []attempt {
	mine := filepath.Join(home, "mine")
	all := []attempt{
		{"change a mode beside the own directory", func() error { return unix.Chmod(secret, 0o644) }, unix.EPERM},
		{"change times beside the own directory", func() error { return unix.Utimes(secret, make([]unix.Timeval, 2)) }, unix.EPERM},
		{"change an attribute beside the own directory", func() error { return unix.Setxattr(secret, "user.a", []byte("b"), 0) }, unix.EOPNOTSUPP},
	}
	if !supervised {
		return all
	}
	return append(all,
		attempt{"change a mode in the own directory", func() error { return unix.Chmod(mine, 0o600) }, nil},
		attempt{"change times in the own directory", func() error { return unix.Utimes(mine, make([]unix.Timeval, 2)) }, nil})
}

// moving links or renames. Landlock refuses in either of two ways.
func moving(do func(from, to string) error, from, to string) func() error {
	return func() error {
		err := do(from, to)
		if errors.Is(err, unix.EXDEV) {
			return unix.EACCES
		}
		return err
	}
}

// raw makes a system call that does no harm if it gets through: its arguments
// make no sense.
func raw(nr uintptr, args ...uintptr) func() error {
	var a [6]uintptr
	copy(a[:], args)
	return func() error {
		_, _, errno := unix.Syscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5])
		if errno == 0 {
			return nil
		}
		return errno
	}
}

func callAttempts() []attempt {
	bad := ^uintptr(0)
	return []attempt{
		{"trace a process", raw(unix.SYS_PTRACE, 0x7fffffff), unix.EPERM},
		{"read another's memory", raw(unix.SYS_PROCESS_VM_READV, bad), unix.EPERM},
		{"mount", raw(unix.SYS_MOUNT), unix.EPERM},
		{"make a namespace", raw(unix.SYS_UNSHARE, 1), unix.EPERM},
		{"enter a namespace", raw(unix.SYS_SETNS, bad), unix.EPERM},
		{"clone3", raw(unix.SYS_CLONE3), unix.ENOSYS},
		{"load a kernel program", raw(unix.SYS_BPF, bad), unix.EPERM},
		{"make a kernel ring", raw(unix.SYS_IO_URING_SETUP), unix.EPERM},
		{"use the kernel's keys", raw(unix.SYS_KEYCTL, bad), unix.EPERM},
		{"load a kernel module", raw(unix.SYS_FINIT_MODULE, bad), unix.EPERM},
		{"type on a terminal", raw(unix.SYS_IOCTL, bad, unix.TIOCSTI), unix.EPERM},
		{"lose the label", raw(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_RTTIME, bad), unix.EPERM},
		{"take our room", raw(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_NPROC, bad), unix.EPERM},
		{"lose the label in the old way", raw(unix.SYS_SETRLIMIT, unix.RLIMIT_RTTIME, bad), unix.EPERM},
		{"make a program of the owner", raw(unix.SYS_FCHMOD, bad, 0o4755), unix.EPERM},
		{"ask for a file by handle", raw(unix.SYS_OPEN_BY_HANDLE_AT, bad), unix.EPERM},
	}
}

func strictAttempts() []attempt {
	return []attempt{
		{"make a local socket", localSocket, nil},
		{"make an internet socket", raw(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM), unix.EACCES},
		{"make a kernel socket", raw(unix.SYS_SOCKET, unix.AF_NETLINK, unix.SOCK_RAW), unix.EACCES},
		{"make a socket that sends anywhere", raw(unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_DGRAM), unix.EACCES},
		{"make shared memory", raw(unix.SYS_SHMGET, 0, 0), unix.EPERM},
		{"connect", raw(unix.SYS_CONNECT, ^uintptr(0)), unix.EACCES},
		{"look at processes", open("/proc", unix.O_RDONLY), unix.EACCES},
		{"look at the root folder", open("/", unix.O_RDONLY), unix.EACCES},
	}
}

func localSocket() error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// lookFromOutside starts a contained process and reads what the kernel says of
// it.
func (c *confinement) lookFromOutside(dir string) error {
	var gate [2]int
	if err := unix.Pipe2(gate[:], unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("test the sandbox: %w", err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		closeAll(gate[:], -1)
		return fmt.Errorf("test the sandbox: %w", err)
	}
	defer null.Close()
	var pid int
	onOwnThread(func() {
		if _, err = c.apply(dir); err != nil {
			return
		}
		pid, err = forkExec("/bin/sh", []string{"sh", "-c", "read x"}, &syscall.ProcAttr{
			Dir: dir, Env: c.env, Files: []uintptr{uintptr(gate[0]), null.Fd(), null.Fd()},
			Sys: &syscall.SysProcAttr{Setpgid: true, Credential: c.user.credential()},
		})
	})
	if err != nil {
		closeAll(gate[:], -1)
		return fmt.Errorf("a contained shell could not be started: %w", err)
	}
	kerr := unix.Kill(pid, 0)
	status, rerr := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	closeAll(gate[:], -1)
	for {
		_, werr := unix.Wait4(pid, nil, 0, nil)
		if werr != unix.EINTR {
			break
		}
	}
	if kerr != nil {
		return fmt.Errorf("a contained shell could not be ended from outside (root needs CAP_KILL for that): %w", kerr)
	}
	if rerr != nil {
		return fmt.Errorf("a contained shell could not be looked at: %w", rerr)
	}
	return c.checkStatus(status)
}

// checkStatus compares /proc/PID/status with what must be true.
func (c *confinement) checkStatus(status []byte) error {
	want := map[string]string{"NoNewPrivs": "1", "Seccomp": "2"}
	if c.user != nil {
		uid := fmt.Sprint(c.user.uid)
		want["Uid"] = strings.Join([]string{uid, uid, uid, uid}, "\t")
		want["Groups"] = ""
	}
	if c.user != nil || c.caged {
		for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"} {
			want[set] = "0000000000000000"
		}
	}
	for line := range bytes.Lines(status) {
		name, value, _ := strings.Cut(string(line), ":")
		if w, ok := want[name]; ok && strings.TrimSpace(value) != w {
			return fmt.Errorf("the sandbox does not hold: a contained shell has %s %q, not %q", name, strings.TrimSpace(value), w)
		}
		delete(want, name)
	}
	for name := range want {
		if name != "Groups" {
			return fmt.Errorf("the sandbox cannot be verified: the kernel does not tell %s", name)
		}
	}
	return nil
}
