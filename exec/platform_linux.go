package exec

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
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
	r.live = make(map[int]*process)
	r.starting = make(map[string]bool)
	if s, ok := readStat(r.self); ok {
		r.args = s.args
	}
	return nil
}

func (r *Runner) closePlatform() error {
	r.table.close()
	return r.null.Close()
}

func probePlatform(_ context.Context, caps *Capabilities) {
	caps.Kill = "subreaper"
	caps.Levels[None] = LevelInfo{Level: None, Available: true, Mechanisms: "session,subreaper"}
	for _, l := range []Level{Basic, Strict, VeryStrict} {
		caps.Levels[l].Reason = "not built yet"
	}
}
