package exec

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// confinement is how commands of one level are contained. It is applied to a
// thread that then starts the command and ends: a child inherits what its
// parent's thread is subject to, so the command is contained from its first
// instruction, and this program needs no second executable.
type confinement struct {
	level  Level
	fence  *fence
	filter []unix.SockFilter
	user   *taskUser
	env    []string // the base environment
	dirs   *workDirs
	room   room
	cells  cells
	caged  bool         // in namespaces, not on a confined thread
	cages  cages        // then instead of cells
	drop   func() error // empties the bounding set
	labels *labels
	// supervised says that a supervisor answers some of the calls.
	supervised bool
	calls      map[string]int // the numbers of the system calls here
	spaces     uintptr        // the namespaces of a cage
	skip       cageStep       // left out in a cage
}

// setup is what all confinements of a Runner have in common.
type setup struct {
	abi     int
	user    *taskUser
	dirs    *workDirs
	protect []string
	home    string
	homes   homes
	room    room
	labels  *labels
	alone   bool // without a supervisor: another one is listening already
}

// newConfinement builds a level, or says why it cannot be.
func newConfinement(level Level, s setup) (*confinement, error) {
	if runtime.GOOS == "android" {
		return nil, errors.New("on Android no program may contain another")
	}
	if level == VeryStrict && s.abi == 0 {
		return nil, errors.New("the kernel has no Landlock (5.13 or later has, unless it is turned off)")
	}
	c := &confinement{level: level, user: s.user, dirs: s.dirs, room: s.room, labels: s.labels, drop: dropBounding, spaces: cageSpaces(level)}
	c.caged = level == VeryStrict || s.abi < minABI(level)
	c.supervised = !c.caged && !s.alone
	var err error
	if c.filter, err = filterFor(c.rules(s.abi)); err != nil {
		return nil, err
	}
	if _, c.calls, err = systemCalls(); err != nil {
		return nil, err
	}
	c.cells.c, c.cages.c = c, c
	c.fence = &fence{abi: s.abi, fixed: fixedAccess(level), spread: level == Basic, net: level == Strict, homes: s.homes}
	for _, p := range append(s.protect, credentialPaths(s.home)...) {
		c.fence.protected = append(c.fence.protected, realPath(p))
	}
	c.fence.protected = append(c.fence.protected, s.dirs.root)
	c.env = baseEnv(os.Getenv)
	if s.user != nil {
		c.env = setEnv(setEnv(c.env, "USER="+s.user.name), "LOGNAME="+s.user.name)
		c.env = setEnv(c.env, "PATH="+reachablePath(pathOf(c.env)))
		// Root's own folder, and any name in it, is nobody's business.
		c.fence.protected = append(c.fence.protected, "/root")
	}
	return c, nil
}

// rules are what the filter of commands on a confined thread has to refuse. What root
// owns is out of the reach of commands that run as another user.
func (c *confinement) rules(abi int) filterRules {
	rules := filterRules{level: c.level, abi: abi, metadata: metadataRefuse, turns: turnsOwn}
	switch {
	case c.caged:
		return containedRules(c.level)
	case c.supervised:
		rules.metadata, rules.turns = metadataAsk, turnsAsk
	}
	if c.user != nil {
		rules.metadata = metadataOwners
	}
	return rules
}

// close ends what waits for commands. The directories stay, since levels share them.
func (c *confinement) close() {
	c.cells.close()
	c.cages.close()
	c.fence.close()
}

// reachablePath drops the entries of a PATH that only root can get to.
func reachablePath(path string) string {
	var keep []string
	for _, dir := range filepath.SplitList(path) {
		if reachable(dir) && !slices.Contains(keep, dir) {
			keep = append(keep, dir)
		}
	}
	if len(keep) == 0 {
		return defaultPath
	}
	return strings.Join(keep, ":")
}

// minABI is the oldest Landlock a level can be built from without namespaces. The
// gaps of version 1 and 2 are closed by the filter; strict needs control of signals.
func minABI(level Level) int {
	if level == Strict {
		return 6
	}
	return 1
}

// mechanisms names what contains a command.
func (c *confinement) mechanisms() string {
	m := []string{"session", "subreaper", "no_new_privs"}
	if c.fence.abi > 0 {
		m = append(m, fmt.Sprintf("landlock:%d", c.fence.abi))
	}
	m = append(m, "seccomp")
	if c.supervised {
		m = append(m, "supervisor")
	}
	if c.caged {
		m = append([]string{"namespaces", "pivot_root"}, append(m, "no_capabilities")...)
	}
	if c.user != nil {
		m = append(m, "user:"+c.user.name)
		if !c.caged {
			m = append(m, "no_capabilities")
		}
	}
	return strings.Join(m, ",")
}

// fixedAccess is what a level allows by name.
func fixedAccess(level Level) map[string]uint64 {
	m := map[string]uint64{
		"/dev/null": accessDevice, "/dev/zero": accessDevice, "/dev/full": accessDevice,
		"/dev/random": accessRead, "/dev/urandom": accessRead,
	}
	if level == Basic {
		for _, p := range []string{
			"/dev/tty", "/dev/ptmx", "/dev/pts", "/dev/dri", "/dev/kfd", "/dev/nvidiactl", "/dev/nvidia-uvm",
			"/dev/nvidia0", "/dev/nvidia1", "/dev/nvidia2", "/dev/nvidia3", "/dev/nvidia4", "/dev/nvidia5", "/dev/nvidia6", "/dev/nvidia7",
		} {
			m[p] = accessDevice
		}
		return m
	}
	for _, p := range []string{
		"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix/store", "/gnu/store",
		"/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/version", "/proc/filesystems", "/proc/loadavg", "/proc/uptime",
		"/proc/sys/kernel", "/proc/sys/vm", "/sys/devices/system/cpu", "/sys/devices/system/node", "/sys/fs/cgroup", "/sys/kernel/mm/transparent_hugepage",
	} {
		m[p] = accessRead
	}
	return m
}

// apply confines the calling thread for ever and verifies that it is. The
// caller has locked the thread. It returns the version of the fence.
func (c *confinement) apply(dirs ...string) (version int, err error) {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("give up gaining privileges: %w", err)
	}
	if err := c.drop(); err != nil {
		return 0, err
	}
	if version, err = c.fence.restrict(dirs...); err != nil {
		return 0, err
	}
	if err := c.loadFilter(dirs); err != nil {
		return 0, err
	}
	nnp, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	if err != nil || nnp != 1 {
		return 0, errors.New("the sandbox was applied and is not there: no_new_privs")
	}
	mode, err := unix.PrctlRetInt(unix.PR_GET_SECCOMP, 0, 0, 0, 0)
	if err != nil || mode != unix.SECCOMP_MODE_FILTER {
		return 0, errors.New("the sandbox was applied and is not there: seccomp")
	}
	return version, nil
}

// loadFilter filters the calls of the calling thread and has a supervisor answer those
// that are left to one, for commands that may write in dirs.
func (c *confinement) loadFilter(dirs []string) error {
	if !c.supervised {
		_, err := loadFilter(c.filter, false)
		return err
	}
	s, err := newSupervisor(c.labels, c.calls, dirs...)
	if err != nil {
		return err
	}
	listener, err := loadFilter(c.filter, true)
	if err != nil {
		return err
	}
	go s.serve(listener)
	return nil
}

// dropBounding empties the set of capabilities that a program could ever gain.
// It matters, and is possible, only for root.
func dropBounding() error {
	if os.Geteuid() != 0 {
		return nil
	}
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if err != nil && err != unix.EINVAL {
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	return nil
}

// onOwnThread runs fn on a thread of its own that ends with it. The first
// thread of a process cannot end, so it is never used.
func onOwnThread(fn func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			// While this goroutine holds the first thread, another cannot get it.
			onOwnThread(fn)
			runtime.UnlockOSThread()
			return
		}
		fn()
	}()
	<-done
}

// launch starts the main process of a contained command.
func (c *confinement) launch(r *Runner, p *process, file string, argv []string, attr *syscall.ProcAttr) (pid int, err error) {
	if p.cage != nil {
		return r.launchCaged(p, file, argv, attr)
	}
	attr.Sys.Credential = c.user.credential()
	if p.cell != nil {
		return r.forkExec(p, p.cell.do, file, argv, attr)
	}
	dirs := []string{p.home.path}
	if p.given >= 0 {
		dirs = append(dirs, fmt.Sprintf("/proc/self/fd/%d/.", p.given))
	}
	thread, err := c.openThread(dirs...)
	if err != nil {
		return 0, startError(ReasonRefused, "sandbox level %s cannot be had here: %w", c.level, err)
	}
	defer thread.end()
	return r.forkExec(p, thread.do, file, argv, attr)
}

// house finds a command its own directory, in a cell where that will do. One
// with a directory given, or one to be kept, gets a thread of its own.
func (r *Runner) house(p *process) (err error) {
	c := r.levels[p.spec.Level]
	switch {
	case c != nil && c.caged:
		return r.houseCaged(p, c)
	case c != nil && p.spec.Dir == "" && !p.spec.Keep:
		if p.cell, err = c.cells.take(); err != nil {
			return startError(ReasonRefused, "sandbox level %s cannot be had here: %w", c.level, err)
		}
		p.dirs = p.cell.dirs
	case c != nil:
		p.dirs = c.dirs
	default:
		p.dirs = r.dirs
	}
	if p.spec.Keep && p.spec.Dir == "" {
		p.home, err = p.dirs.kept()
	} else {
		p.home, err = p.dirs.get()
	}
	if err != nil {
		p.leaveCell(false)
		return &StartError{Reason: ReasonHost, Code: 125, Err: err}
	}
	return nil
}

// vacate gives the directory and the cell back. Clean says that nothing of the
// command lives.
func (p *process) vacate(clean bool) {
	if p.cage != nil {
		p.cage.discard()
	}
	if err := p.dirs.put(p.home, clean); err != nil {
		p.r.log.Warn("a command's directory could not be removed", "dir", p.home.path, "error", err)
		clean = false
	}
	p.leaveCell(clean)
}

func (p *process) leaveCell(clean bool) {
	if p.cell != nil {
		p.r.levels[p.spec.Level].cells.give(p.cell, clean)
	}
}

// dir is the working directory.
func (p *process) dir() string {
	return orElse(p.spec.Dir, p.home.work())
}
