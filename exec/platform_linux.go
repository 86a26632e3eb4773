package exec

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/adauldev/octaskly/exec/internal/account"
)

// platform is what a Runner holds on Linux.
type platform struct {
	null  *os.File // /dev/null, shared by all commands
	find  *finder
	table *procTable
	self  int // our process id
	sid   int // our session: no command can ever get into it

	// forking is held shared while a command is born, until it is listed in
	// live, and alone by whoever must not mistake a newborn for a stray.
	forking sync.RWMutex
	births  atomic.Int32 // holders of forking that may have a newborn
	args    uint64       // where our own arguments are in memory

	nextReap atomic.Int64 // when reapStrays may look again

	groups *account.Groups
	labels *labels
	levels [levelCount]*confinement // those that passed their test

	foreign  foreignSessions
	recentMu sync.Mutex
	recent   uses

	mu     sync.Mutex
	live   map[int]*process // by process id of the main process
	strays bool             // some orphan waits for its owner to be known
	// starting holds the cookies of commands being born.
	starting map[string]bool
}

// openPlatform makes this process the one that orphans of commands fall to.
func (r *Runner) openPlatform() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become the reaper of orphans: %w", err)
	}
	keepOurFiles()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	sid, err := unix.Getsid(0)
	if err != nil {
		null.Close()
		return fmt.Errorf("find our session: %w", err)
	}
	r.null, r.sid, r.self = null, sid, os.Getpid()
	r.find = newFinder(pathOf(r.base))
	r.table = openProcTable()
	r.groups = account.OpenGroups()
	r.labels = openLabels(r.dirs.root)
	r.live = make(map[int]*process)
	r.starting = make(map[string]bool)
	if s, ok := readStat(r.self); ok {
		r.args = s.args
	}
	return nil
}

// keepOurFiles keeps what this process inherited open from being inherited
// once more. Files opened since are so already.
func keepOurFiles() {
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, e := range names {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
}

// contain builds and tests the levels asked for and says which there are. A
// level that does not pass its test is not there.
func (r *Runner) contain(want [levelCount]bool) (Capabilities, error) {
	caps := Capabilities{Kill: "subreaper", CPU: "rlimit," + orElse(r.groups.CPU(), "poll"), Disk: "rlimit,poll", OpenFiles: "rlimit"}
	caps.Memory = orElse(r.groups.Memory(), "poll")
	caps.Processes = orElse(r.groups.Processes(), "poll")
	caps.Levels[None] = LevelInfo{Level: None, Available: true, Mechanisms: "session,subreaper"}
	s := setup{abi: landlockABI(), protect: r.opt.Protect, room: r.labels.room, labels: r.labels}
	s.home, _ = os.UserHomeDir()
	s.homes = findHomes(s.home, pathOf(r.base), r.opt)
	var err error
	if s.user, err = findTaskUser(r.opt.TaskUser); err != nil {
		return caps, err
	}
	if s.dirs, err = r.containedDirs(s.user); err != nil {
		return caps, err
	}
	for l := Basic; l.Valid(); l++ {
		caps.Levels[l] = LevelInfo{Level: l, Reason: "not offered by this worker"}
		if !want[l] {
			continue
		}
		c, err := r.proven(l, s)
		if err != nil {
			caps.Levels[l].Reason = err.Error()
			continue
		}
		caps.Levels[l] = LevelInfo{Level: l, Available: true, Mechanisms: c.mechanisms()}
	}
	return caps, nil
}

// proven builds a level, and offers it when it holds and commands run at it.
func (r *Runner) proven(l Level, s setup) (*confinement, error) {
	c, err := tested(l, s)
	if errors.Is(err, unix.EBUSY) {
		// Whoever contains us listens, and of that there can be one. What would be asked
		// of it is refused then: stricter, not weaker.
		s.alone = true
		c, err = tested(l, s)
	}
	if err != nil {
		return nil, err
	}
	r.levels[l] = c
	if err := r.rehearse(l); err != nil {
		r.levels[l] = nil
		c.close()
		return nil, err
	}
	return c, nil
}

// tested builds a level and proves that it holds.
func tested(l Level, s setup) (*confinement, error) {
	c, err := newConfinement(l, s)
	if err != nil {
		return nil, err
	}
	if err := c.selfTest(); err != nil {
		c.fence.close()
		return nil, err
	}
	return c, nil
}

// containedDirs are the directories of contained commands: the same as for all
// others unless they run as somebody else.
func (r *Runner) containedDirs(u *taskUser) (*workDirs, error) {
	if u == nil {
		return r.dirs, nil
	}
	root, err := sharedRoot(r.dirs.root, u)
	if err != nil {
		return nil, err
	}
	dirs, err := newWorkDirs(filepath.Join(root, "contained"), r.dirs.clear)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dirs.root, 0o711); err != nil {
		return nil, err
	}
	dirs.own = func(path string) error { return os.Chown(path, int(u.uid), int(u.gid)) }
	return dirs, nil
}

func (r *Runner) closePlatform() error {
	for _, c := range r.levels {
		if c != nil {
			c.close()
			c.dirs.close()
			if c.dirs != r.dirs {
				_ = os.Remove(c.dirs.root)
				_ = os.Remove(filepath.Dir(c.dirs.root))
			}
		}
	}
	r.groups.Close()
	r.table.close()
	return r.null.Close()
}
