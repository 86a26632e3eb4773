package exec

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// testCage proves that cages hold here.
func (c *confinement) testCage() error {
	home, err := c.dirs.get()
	if err != nil {
		return err
	}
	defer func() { _ = c.dirs.put(home, false) }()
	secret := besideHome(home.path)
	if err := os.WriteFile(secret, nil, 0o666); err != nil {
		return fmt.Errorf("test the sandbox: %w", err)
	}
	defer os.Remove(secret)
	k, err := c.openCage(home, "", -1)
	if err != nil {
		return err
	}
	defer k.discard()
	if err := k.ask(cageOrder{Test: true}); err != nil {
		return err
	}
	var gate [2]int
	if err := unix.Pipe2(gate[:], unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("test the sandbox: %w", err)
	}
	defer closeAll(gate[:], -1)
	err = k.ask(cageOrder{File: "/bin/sh", Argv: []string{"sh", "-c", "read x"}, Env: c.env, Dir: home.work()}, gate[0], gate[0], gate[0])
	if err != nil {
		return fmt.Errorf("a contained shell could not be started: %w", err)
	}
	pid, err := k.child()
	if err != nil {
		return err
	}
	if err := checkSpaces(pid, cageSpaces(c.level)); err != nil {
		return err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return fmt.Errorf("a contained shell could not be looked at: %w", err)
	}
	return c.checkStatus(status)
}

// checkSpaces reports which of the namespaces a process shares with us.
func checkSpaces(pid int, spaces uintptr) error {
	for _, ns := range cageNamespaces {
		if spaces&ns.flag == 0 {
			continue
		}
		own, err := os.Readlink("/proc/self/ns/" + ns.name)
		if err != nil {
			return fmt.Errorf("the sandbox cannot be verified: %w", err)
		}
		if its, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "ns", ns.name)); err != nil || its == own {
			return fmt.Errorf("the sandbox does not hold: a contained shell shares our %s namespace", ns.name)
		}
	}
	return nil
}

// tryCage makes every attempt of the self-test on the calling thread.
func tryCage(plan cagePlan) error {
	all := append(cageAttempts(plan), callAttempts()...)
	for _, p := range plan.Protected {
		all = append(all, attempt{"read " + p, func() error {
			err := open(p+"/x", unix.O_RDONLY)()
			if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
				return unix.EACCES
			}
			return err
		}, unix.EACCES})
	}
	if err := tryAll(all); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(workDir{path: plan.Home}.work(), "mine")); err != nil || plan.Level == Basic {
		return err
	}
	routes, err := os.ReadFile("/proc/net/dev")
	if err != nil {
		return fmt.Errorf("the sandbox forbids too much: look at the own network: %w", err)
	}
	if lines := strings.Split(strings.TrimSpace(string(routes)), "\n"); len(lines) != 3 || !strings.Contains(lines[2], "lo:") {
		return errors.New("the sandbox does not hold: there is a network besides the loopback")
	}
	return nil
}

// besideHome is a file that must not be seen in a cage.
func besideHome(home string) string { return home + ".secret" }

// cageAttempts are what the levels allow and forbid, beside calls.
func cageAttempts(plan cagePlan) []attempt {
	w := workDir{path: plan.Home}
	const create = unix.O_CREAT | unix.O_RDWR | unix.O_EXCL
	temp := attempt{"write in /tmp", either(open(filepath.Join(os.TempDir(), ".octaskly-"+filepath.Base(plan.Home)), create)), unix.EACCES}
	all := []attempt{
		{"write in the own directory", open(filepath.Join(w.work(), "mine"), create), nil},
		{"read a system file", open("/etc/passwd", unix.O_RDONLY), nil},
		{"write to /dev/null", open("/dev/null", unix.O_RDWR), nil},
		{"read random numbers", open("/dev/urandom", unix.O_RDONLY), nil},
		{"look at the own processes", open("/proc/self/status", unix.O_RDONLY), nil},
		{"make a local socket", localSocket, nil},
		{"change a system file", either(open("/etc/passwd", unix.O_RDWR)), unix.EACCES},
		{"write in the root folder", either(open("/octaskly", create)), unix.EACCES},
		{"write to the kernel's settings", open("/proc/sys/kernel/core_pattern", unix.O_WRONLY), unix.EACCES},
		{"see beside the own directory", open(besideHome(plan.Home), unix.O_RDONLY), unix.ENOENT},
	}
	if plan.Level == Basic {
		return append(all, temp)
	}
	all = append(all,
		attempt{"see a device", open("/dev/kmsg", unix.O_RDONLY), unix.ENOENT},
		attempt{"make a kernel socket", raw(unix.SYS_SOCKET, unix.AF_NETLINK, unix.SOCK_RAW), unix.EACCES})
	if plan.Level == Strict {
		return append(all, attempt{"make an internet socket", raw(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM), unix.EACCES})
	}
	return append(all, attempt{"call what is on no list", raw(1 << 20), unix.ENOSYS})
}

// either takes the answer of a read-only file tree for that of Landlock: which
// comes first depends on the call.
func either(do func() error) func() error {
	return func() error {
		err := do()
		if errors.Is(err, unix.EROFS) {
			return unix.EACCES
		}
		return err
	}
}
