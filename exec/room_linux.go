package exec

import "golang.org/x/sys/unix"

// room is what commands must leave of the processes that our user may have: without
// it one that starts processes without end would leave us unable to start a thread,
// which ends a program of Go. It is the soft limit that commands inherit; from basic
// on the filter keeps them from raising it.
type room struct {
	own  unix.Rlimit // what we may have
	rest uint64      // what commands may have; 0 if there is no limit to share
}

// ourRoom is how many processes and threads commands leave us, at most: a node has
// about twenty, and one more for each call into the kernel that takes long.
const ourRoom = 128

func openRoom() (r room) {
	if unix.Prlimit(0, unix.RLIMIT_NPROC, nil, &r.own) == nil && r.own.Cur != unix.RLIM_INFINITY {
		r.rest = r.own.Cur - min(ourRoom, r.own.Cur/4)
	}
	return r
}

// keep makes what this process starts leave us room, until back is called.
func (r room) keep() (back func()) {
	if r.rest == 0 || unix.Prlimit(0, unix.RLIMIT_NPROC, &unix.Rlimit{Cur: r.rest, Max: r.own.Max}, nil) != nil {
		return func() {}
	}
	return func() { _ = unix.Prlimit(0, unix.RLIMIT_NPROC, &r.own, nil) }
}

// keepOf makes a process that was started, and what it starts, leave us room.
func (r room) keepOf(pid int) {
	if r.rest > 0 {
		_ = unix.Prlimit(pid, unix.RLIMIT_NPROC, &unix.Rlimit{Cur: r.rest, Max: r.own.Max}, nil)
	}
}
