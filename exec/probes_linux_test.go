package exec

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// probeEnv makes the test binary try to escape from where it runs.
const probeEnv = "OCTASKLY_TEST_PROBE"

// probe is one way out. From level from on it must be closed.
type probe struct {
	name string
	from Level
	try  func() error
}

// ofItsOwn are probes that succeed in a cage of a level, on what belongs to the
// command alone: its process table and its loopback.
var ofItsOwn = map[Level][]string{
	Strict:     {"list processes"},
	VeryStrict: {"make a socket that sends anywhere", "make a pair of such", "list processes", "send a datagram", "listen on TCP", "make an IPv6 socket"},
}

// ofItsOwnUnscoped are those that succeed besides where Landlock has no scopes, or
// is not there: the first process of the cage may be signalled, and has no ears.
var ofItsOwnUnscoped = map[Level][]string{
	Basic:      {"signal init", "reach an abstract socket"},
	Strict:     {"signal init", "list the root folder", "list /tmp"}, // the way to its own
	VeryStrict: {"signal init"},
}

// ofScopes are what basic stops only where Landlock has scopes.
var ofScopes = []string{"reach an abstract socket", "signal the worker"}

// tryToEscape makes every attempt and prints its outcome, a line each: "ok",
// or the error.
func tryToEscape() {
	for _, p := range probes() {
		err := p.try()
		outcome := "ok"
		var errno syscall.Errno
		switch {
		case errors.As(err, &errno):
			outcome = unix.ErrnoName(errno)
		case err != nil:
			outcome = "error " + strings.ReplaceAll(err.Error(), "\n", " ")
		}
		fmt.Printf("%s\t%s\n", p.name, outcome)
	}
}

// probes are all ways out that are tried. What they need to know of the world
// outside comes in the environment.
func probes() []probe {
	var all []probe
	all = append(all, readProbes()...)
	all = append(all, writeProbes()...)
	all = append(all, moveProbes()...)
	all = append(all, processProbes()...)
	all = append(all, callProbes()...)
	return append(all, netProbes()...)
}

func outside(name string) string { return os.Getenv("OUT_" + name) }

func reading(path string) func() error {
	return func() error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = f.Read(make([]byte, 1))
		if errors.Is(err, syscall.EISDIR) {
			_, err = f.Readdirnames(1)
		}
		return err
	}
}

func creating(path string) func() error {
	return func() error {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		f.Close()
		return os.Remove(path)
	}
}

func opening(path string, flags int) func() error {
	return func() error {
		f, err := os.OpenFile(path, flags, 0)
		if err != nil {
			return err
		}
		return f.Close()
	}
}

func readProbes() []probe {
	worker := outside("WORKER")
	return []probe{
		{"read a key of the node", Basic, reading(outside("SECRET"))},
		{"read a key through a link", Basic, func() error {
			if err := os.Symlink(outside("SECRET"), "link"); err != nil {
				return err
			}
			defer os.Remove("link")
			return reading("link")()
		}},
		{"read a key through /proc/self/root", Basic, reading("/proc/self/root" + outside("SECRET"))},
		{"read another command's file", Basic, reading(outside("OTHER"))},
		{"read /etc/shadow", Basic, reading("/etc/shadow")},
		{"read the worker's environment", Basic, reading("/proc/" + worker + "/environ")},
		{"read the worker's memory", Basic, reading("/proc/" + worker + "/mem")},
		{"read the worker's root", Basic, reading("/proc/" + worker + "/root/etc/passwd")},
		{"read the worker's files", Basic, reading("/proc/" + worker + "/fd/0")},
		{"read the worker's maps", Basic, reading("/proc/" + worker + "/maps")},
		{"read the kernel's log", Basic, reading("/dev/kmsg")},
		{"read memory", Basic, reading("/dev/mem")},
		{"read root's home", Basic, reading("/root/.bashrc")},
		{"read the worker's command line", Strict, reading("/proc/" + worker + "/cmdline")},
		{"list processes", Strict, reading("/proc")},
		{"list the root folder", Strict, reading("/")},
		{"list homes", Strict, reading("/home")},
		{"read a public file elsewhere", Strict, reading(outside("PUBLIC"))},
		{"list /tmp", Strict, reading("/tmp")},
	}
}

func writeProbes() []probe {
	name := "octaskly-probe-" + strconv.Itoa(os.Getpid())
	return []probe{
		{"write in /tmp", Basic, creating("/tmp/" + name)},
		{"write in /var/tmp", Basic, creating("/var/tmp/" + name)},
		{"write in /dev/shm", Basic, creating("/dev/shm/" + name)},
		{"write in /etc", Basic, creating("/etc/" + name)},
		{"write in /", Basic, creating("/" + name)},
		{"write in /root", Basic, creating("/root/" + name)},
		{"write in the cell", ofAnother(), creating("../../" + name)},
		{"write beside the cell", Basic, creating("../../../" + name)},
		{"write over a public file", Basic, opening(outside("PUBLIC"), os.O_WRONLY)},
		{"append to a public file", Basic, opening(outside("PUBLIC"), os.O_WRONLY|os.O_APPEND)},
		{"truncate a public file", Basic, func() error { return os.Truncate(outside("PUBLIC"), 0) }},
		{"truncate by opening for reading", Basic, opening(outside("PUBLIC"), os.O_RDONLY|os.O_TRUNC)},
		{"write to a control group", Basic, func() error { return os.WriteFile("/sys/fs/cgroup/unified/cgroup.procs", []byte("0"), 0) }},
		{"write to sysctl", Basic, func() error { return os.WriteFile("/proc/sys/kernel/core_pattern", []byte("|/x"), 0) }},
		{"be spared when memory is short", Basic, func() error { return os.WriteFile("/proc/self/oom_score_adj", []byte("-1000"), 0) }},
		{"write the user map", Basic, func() error { return os.WriteFile("/proc/self/uid_map", []byte("0 0 1"), 0) }},
		{"write to a disk", Basic, opening("/dev/vda", os.O_WRONLY)},
		{"make a device", Basic, func() error { return unix.Mknod("dev", unix.S_IFCHR|0o600, 1<<8|1) }},
	}
}

// ofAnother is the level from which a command cannot touch the cell it is in:
// only where that belongs to another user, else what it does there is found
// and the cell given up.
func ofAnother() Level {
	if outside("ROOT") == "" {
		return Level(levelCount)
	}
	return Basic
}

func moveProbes() []probe {
	mine := func(do func() error) func() error {
		return func() error {
			if err := os.WriteFile("mine", nil, 0o600); err != nil {
				return err
			}
			defer os.Remove("mine")
			return do()
		}
	}
	return []probe{
		{"link a file in", Basic, func() error { defer os.Remove("in"); return os.Link(outside("PUBLIC"), "in") }},
		{"link a file out", Basic, mine(func() error { return os.Link("mine", filepath.Join("/tmp", outside("NAME"))) })},
		{"rename a file out", Basic, mine(func() error { return os.Rename("mine", filepath.Join("/tmp", outside("NAME"))) })},
		{"rename the own directory", ofAnother(), func() error { return os.Rename(os.Getenv("HOME"), os.Getenv("HOME")+"x") }},
		{"remove a public file", Basic, func() error { return os.Remove(outside("PUBLIC")) }},
		{"give a file away", Basic, mine(func() error { return os.Chown("mine", 1, 1) })},
		{"change the mode of a public file", Basic, func() error { return os.Chmod(outside("PUBLIC"), 0o600) }},
		{"change the times of a public file", Basic, func() error { return os.Chtimes(outside("PUBLIC"), time.Unix(1, 0), time.Unix(1, 0)) }},
		{"change an attribute of a public file", Basic, func() error {
			err := unix.Setxattr(outside("PUBLIC"), "user.a", []byte("b"), 0)
			if err == unix.EOPNOTSUPP { // as if there were none
				err = unix.EPERM
			}
			return err
		}},
		{"change root", Basic, func() error { return unix.Chroot(".") }},
		{"write through an inherited file", Basic, func() error {
			for fd := 3; fd < 4096; fd++ {
				if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
					to, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
					return fmt.Errorf("file %d is there: %s", fd, to)
				}
			}
			return unix.EBADF
		}},
	}
}

func processProbes() []probe {
	worker, _ := strconv.Atoi(outside("WORKER"))
	return []probe{
		{"signal the worker", Basic, func() error { return unix.Kill(worker, 0) }},
		{"signal init", Basic, func() error { return unix.Kill(1, 0) }},
		{"trace the worker", Basic, func() error { return unix.PtraceAttach(worker) }},
		{"limit the worker", Basic, func() error {
			return unix.Prlimit(worker, unix.RLIMIT_NOFILE, nil, new(unix.Rlimit))
		}},
		{"raise a limit", Basic, func() error {
			var l unix.Rlimit
			if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
				return err
			}
			l.Max++
			return unix.Setrlimit(unix.RLIMIT_NOFILE, &l)
		}},
		{"become root", Basic, func() error { return rawErr(unix.SYS_SETUID, 0) }},
		{"get capabilities", Basic, func() error { return absent(capabilities() == 0) }},
		{"gain privileges by a program", Basic, func() error {
			nnp, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
			return errors.Join(err, absent(nnp == 1))
		}},
		{"read the worker's environment variables", Basic, func() error { return absent(os.Getenv("OCTASKLY_TEST_SECRET") == "") }},
		{"change another's turn", Basic, raw(unix.SYS_SCHED_SETPARAM, uintptr(worker))},
		{"change another's niceness", Basic, func() error { return unix.Setpriority(unix.PRIO_PROCESS, worker, 19) }},
		{"change the niceness of all of its user", Basic, func() error { return unix.Setpriority(unix.PRIO_USER, 0, 19) }},
		{"say where another runs", Basic, func() error {
			var all unix.CPUSet
			all.Set(0)
			return unix.SchedSetaffinity(worker, &all)
		}},
		{"raise the priority", Basic, func() error { return unix.Setpriority(unix.PRIO_PROCESS, 0, -20) }},
	}
}

// absent turns a state that holds into the error a closed way out gives.
func absent(holds bool) error {
	if holds {
		return unix.EPERM
	}
	return nil
}

// capabilities are those this process has or could come to have.
func capabilities() uint64 {
	var all uint64
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\n") {
		// Only root can empty the bounding set, and without new privileges it
		// means nothing.
		if v, ok := strings.CutPrefix(line, "Cap"); ok && (outside("ROOT") != "" || !strings.HasPrefix(v, "Bnd")) {
			n, _ := strconv.ParseUint(strings.TrimSpace(v[4:]), 16, 64)
			all |= n
		}
	}
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&hdr, &data[0]) == nil {
		all |= uint64(data[0].Permitted|data[0].Effective) | uint64(data[1].Permitted)<<32
	}
	for c := uintptr(0); c <= unix.CAP_LAST_CAP && outside("ROOT") != ""; c++ {
		if n, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, c, 0, 0, 0); err == nil && n == 1 {
			all |= 1 << c
		}
	}
	return all
}

func rawErr(nr uintptr, args ...uintptr) error { return raw(nr, args...)() }

func callProbes() []probe {
	var all []probe
	for _, a := range callAttempts() {
		all = append(all, probe{a.name, Basic, a.do})
	}
	bad := ^uintptr(0)
	for name, do := range map[string]func() error{
		"make a user namespace":     raw(unix.SYS_UNSHARE, unix.CLONE_NEWUSER),
		"clone into a namespace":    raw(unix.SYS_CLONE, unix.CLONE_NEWUSER|unix.CLONE_NEWNS|unix.CLONE_THREAD),
		"pivot the root":            raw(unix.SYS_PIVOT_ROOT),
		"unmount":                   raw(unix.SYS_UMOUNT2, 0, 0),
		"open a file system":        raw(unix.SYS_FSOPEN),
		"clone a mount":             raw(unix.SYS_OPEN_TREE, bad),
		"move a mount":              raw(unix.SYS_MOVE_MOUNT, bad, 0, bad),
		"change a mount":            raw(unix.SYS_MOUNT_SETATTR, bad),
		"handle page faults":        raw(unix.SYS_USERFAULTFD, bad),
		"watch the machine":         raw(unix.SYS_PERF_EVENT_OPEN),
		"add a key":                 raw(unix.SYS_ADD_KEY),
		"ask for a key":             raw(unix.SYS_REQUEST_KEY),
		"replace the kernel":        raw(unix.SYS_KEXEC_LOAD, bad, bad),
		"load a module from memory": raw(unix.SYS_INIT_MODULE),
		"write another's memory":    raw(unix.SYS_PROCESS_VM_WRITEV, bad),
		"steal a file":              raw(unix.SYS_PIDFD_GETFD, bad),
		"compare processes":         raw(unix.SYS_KCMP, bad, bad),
		"set the clock":             raw(unix.SYS_CLOCK_SETTIME, bad),
		"restart the machine":       raw(unix.SYS_REBOOT),
		"rename the machine":        raw(unix.SYS_SETHOSTNAME, 0, 1<<20),
		"swap":                      raw(unix.SYS_SWAPON),
		"account":                   raw(unix.SYS_ACCT, 1),
		"set a quota":               raw(unix.SYS_QUOTACTL, bad),
		"read the kernel ring":      raw(unix.SYS_SYSLOG, 3, 0, 0),
		"change personality":        raw(unix.SYS_PERSONALITY, 0x0400000),
		"type on the console":       raw(unix.SYS_IOCTL, 0, tioclinux),
		"hang up the terminal":      raw(unix.SYS_VHANGUP),
	} {
		all = append(all, probe{name, Basic, do})
	}
	return all
}

func netProbes() []probe {
	dial := func(network, addr string) func() error {
		return func() error {
			c, err := net.Dial(network, addr)
			if err != nil {
				return err
			}
			return c.Close()
		}
	}
	socket := func(family, kind, proto int) func() error {
		return func() error {
			fd, err := unix.Socket(family, kind, proto)
			if err != nil {
				return err
			}
			return unix.Close(fd)
		}
	}
	pair := func() error {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
		if err != nil {
			return err
		}
		return errors.Join(unix.Close(fds[0]), unix.Close(fds[1]))
	}
	return []probe{
		{"make a socket that sends anywhere", Strict, socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)},
		{"make a pair of such", Strict, pair},
		{"make shared memory", Strict, raw(unix.SYS_SHMGET, 0, 0)},
		{"reach a TCP port", Strict, dial("tcp", outside("TCP"))},
		{"send a datagram", Strict, dial("udp", "127.0.0.1:9")},
		{"listen on TCP", Strict, func() error {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			return l.Close()
		}},
		{"reach a local socket", Strict, dial("unix", outside("SOCKET"))},
		{"reach an abstract socket", Basic, dial("unix", "@"+outside("NAME"))},
		{"make a raw socket", Basic, socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)},
		{"make a packet socket", Basic, socket(unix.AF_PACKET, unix.SOCK_RAW, 0)},
		{"make a kernel socket", Strict, socket(unix.AF_NETLINK, unix.SOCK_RAW, 0)},
		{"make an IPv6 socket", Strict, socket(unix.AF_INET6, unix.SOCK_DGRAM, 0)},
		{"make a machine socket", Strict, socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0)},
	}
}
