package exec

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A cage is a set of namespaces with a process of ours as the first in it. One
// command runs in it, as a child of that process. Making a cage takes longer
// than starting a command, so a few wait, each with a directory of its own.
type cage struct {
	built      int // the version of what is to be hidden
	pid, pidfd int
	sock       int
	home       workDir
	plan       cagePlan
	gone       bool // collected
}

// cages are those that wait.
type cages struct {
	c *confinement

	mu      sync.Mutex
	free    []*cage
	closed  bool
	filling sync.WaitGroup
}

// freeCages is how many wait once one was needed.
const freeCages = 2

// cageNamespace is a kind of namespace and how /proc names it.
type cageNamespace struct {
	flag uintptr
	name string
}

// cageNamespaces are all a cage can have of its own.
var cageNamespaces = []cageNamespace{
	{unix.CLONE_NEWUSER, "user"},
	{unix.CLONE_NEWPID, "pid"},
	{unix.CLONE_NEWNS, "mnt"},
	{unix.CLONE_NEWNET, "net"},
	{unix.CLONE_NEWIPC, "ipc"},
	{unix.CLONE_NEWUTS, "uts"},
	{unix.CLONE_NEWCGROUP, "cgroup"},
}

// cageSpaces are the namespaces that the cages of a level have of their own: at
// basic and strict those that stand in for what the kernel's Landlock cannot do.
func cageSpaces(level Level) uintptr {
	const files = unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWIPC
	switch level {
	case Basic:
		return files
	case Strict:
		return files | unix.CLONE_NEWNET
	}
	return files | unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP
}

// take returns a cage, a waiting one if there is one that still hides all it
// should, and sees to it that the next need not wait.
func (s *cages) take() (*cage, error) {
	version := s.c.fence.version()
	var k *cage
	s.mu.Lock()
	for k == nil && len(s.free) > 0 {
		last := len(s.free) - 1
		k, s.free = s.free[last], s.free[:last]
		if k.built != version {
			s.filling.Add(1)
			go s.drop(k)
			k = nil
		}
	}
	if !s.closed && len(s.free) < freeCages {
		s.filling.Add(1)
		go s.fill()
	}
	s.mu.Unlock()
	if k != nil {
		return k, nil
	}
	home, err := s.c.dirs.get()
	if err != nil {
		return nil, err
	}
	if k, err = s.c.openCage(home, "", -1); err != nil {
		_ = s.c.dirs.put(home, false)
	}
	return k, err
}

// fill makes one more cage.
func (s *cages) fill() {
	defer s.filling.Done()
	home, err := s.c.dirs.get()
	if err != nil {
		return
	}
	k, err := s.c.openCage(home, "", -1)
	if err != nil {
		_ = s.c.dirs.put(home, false)
		return // the one who needs it will be told
	}
	s.mu.Lock()
	if !s.closed && len(s.free) < freeCages {
		s.free = append(s.free, k)
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	k.discard()
	_ = s.c.dirs.put(home, true)
}

// drop gives up a cage that waited.
func (s *cages) drop(k *cage) {
	defer s.filling.Done()
	k.discard()
	_ = s.c.dirs.put(k.home, true)
}

func (s *cages) close() {
	s.mu.Lock()
	free := s.free
	s.free, s.closed = nil, true
	s.mu.Unlock()
	for _, k := range free {
		k.discard()
		_ = s.c.dirs.put(k.home, false)
	}
	s.filling.Wait()
}

// openCage makes a cage around a home and, if one is given, a directory that is open
// as the file given.
func (c *confinement) openCage(home workDir, dir string, given int) (*cage, error) {
	var id fileID
	if dir != "" {
		var st unix.Stat_t
		if err := unix.Fstat(given, &st); err != nil {
			return nil, fmt.Errorf("show %s: %w", dir, err)
		}
		id = idOf(&st)
	}
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("speak to a sandbox: %w", err)
	}
	defer unix.Close(ends[1])
	k := &cage{
		built: c.fence.version(), sock: ends[0], pidfd: -1, home: home,
		plan: cagePlan{
			Level: c.level, ABI: c.fence.abi, Home: home.path, Dir: dir, DirID: id, Protected: c.fence.protected,
			Closed: c.fence.homes.closed, Readable: c.fence.homes.readable, Skip: c.skip,
		},
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		unix.Close(k.sock)
		return nil, err
	}
	defer null.Close()
	uid, gid := os.Geteuid(), os.Getegid()
	sys := &syscall.SysProcAttr{Cloneflags: c.spaces, PidFD: &k.pidfd}
	if c.user != nil {
		uid, gid = int(c.user.uid), int(c.user.gid)
		sys.Credential, sys.GidMappingsEnableSetgroups = c.user.credential(), true
	}
	sys.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
	sys.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		if n, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, c, 0, 0, 0); err == nil && n >= 0 {
			sys.AmbientCaps = append(sys.AmbientCaps, c)
		}
	}
	k.pid, err = forkExec("/proc/self/exe", []string{cageName}, &syscall.ProcAttr{
		Dir: "/", Env: []string{"GOMAXPROCS=2", "GOGC=off"}, Sys: sys,
		Files: []uintptr{null.Fd(), null.Fd(), null.Fd(), uintptr(ends[1])},
	})
	if err != nil {
		unix.Close(k.sock)
		return nil, fmt.Errorf("namespaces cannot be made here: %w", err)
	}
	c.room.keepOf(k.pid)
	// A cage that does not come about must not hold up whoever waits for it.
	longest := unix.NsecToTimeval(int64(cageWait))
	_ = unix.SetsockoptTimeval(k.sock, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &longest)
	if err := k.ask(k.plan); err != nil {
		k.discard()
		return nil, err
	}
	return k, nil
}

// ask sends a plan or an order and waits for the answer.
func (k *cage) ask(v any, files ...int) error {
	if err := sendMessage(k.sock, v, files...); err != nil {
		return err
	}
	var reply cageReply
	if _, err := receiveMessage(k.sock, &reply); err != nil {
		return fmt.Errorf("the sandbox ended before it was ready: %w", err)
	}
	switch {
	case reply.Errno != 0:
		return syscall.Errno(reply.Errno)
	case reply.Error != "":
		return errors.New(reply.Error)
	}
	return nil
}

// discard ends a cage and everything in it.
func (k *cage) discard() {
	unix.Close(k.sock)
	if !k.gone {
		_ = unix.Kill(k.pid, unix.SIGKILL)
		for {
			if _, err := unix.Wait4(k.pid, nil, 0, nil); err != unix.EINTR {
				break
			}
		}
	}
	if k.pidfd >= 0 {
		unix.Close(k.pidfd)
	}
}

// report is how the main process ended, if the cage lived to tell.
func (k *cage) report() (r cageReport, ok bool) {
	_, err := receiveMessage(k.sock, &r)
	return r, err == nil
}

// child is the process id of the main process, as it is outside.
func (k *cage) child() (int, error) {
	for _, tid := range threadsOf(k.pid) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", k.pid, tid))
		if err != nil {
			continue
		}
		for _, f := range strings.Fields(string(b)) {
			if pid, err := strconv.Atoi(f); err == nil {
				return pid, nil
			}
		}
	}
	found := 0
	_ = (&procTable{}).all(func(pid int) bool {
		if s, ok := readStat(pid); ok && s.ppid == k.pid {
			found = pid
		}
		return found == 0
	})
	if found == 0 {
		return 0, errors.New("the command cannot be found in its sandbox")
	}
	return found, nil
}

func threadsOf(pid int) (tids []int) {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, e := range entries {
		if tid, err := strconv.Atoi(e.Name()); err == nil {
			tids = append(tids, tid)
		}
	}
	return tids
}
