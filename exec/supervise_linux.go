package exec

import (
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// supervisor answers the system calls that a filter cannot decide by their numbers:
// those whose answer depends on which file or which process is meant. The kernel
// stops the caller and asks here. A call about a file is never let through after it
// was looked at, since the path in the caller's memory could be exchanged meanwhile:
// the supervisor opens the file itself, looks where it is, and does what was asked.
type supervisor struct {
	writable []string // the directories of the command, without links
	labels   *labels
	number   map[int32]string // the names of the calls that come here
}

// supervisedCall is one call that waits for an answer: struct seccomp_notif.
type supervisedCall struct {
	ID         uint64
	Pid, Flags uint32
	Nr         int32
	Arch       uint32
	IP         uint64
	Args       [6]uint64
}

// supervisedAnswer is struct seccomp_notif_resp.
type supervisedAnswer struct {
	ID    uint64
	Val   int64
	Error int32
	Flags uint32
}

// newSupervisor makes one for commands that may write in dirs.
func newSupervisor(l *labels, numbers map[string]int, dirs ...string) (*supervisor, error) {
	s := &supervisor{labels: l, number: make(map[int32]string)}
	for _, name := range append(metadataCalls(numbers), turnCalls...) {
		if nr, ok := numbers[name]; ok {
			s.number[int32(nr)] = name
		}
	}
	for _, dir := range dirs {
		fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, fmt.Errorf("supervise a command in %s: %w", dir, err)
		}
		path, err := placeOf(fd)
		unix.Close(fd)
		if err != nil {
			return nil, fmt.Errorf("supervise a command in %s: %w", dir, err)
		}
		s.writable = append(s.writable, path)
	}
	return s, nil
}

// placeOf is where an open file is now.
func placeOf(fd int) (string, error) {
	return os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
}

// serve answers until nothing is left that the filter of listener applies to.
func (s *supervisor) serve(listener int) {
	if err := unix.SetNonblock(listener, true); err != nil {
		unix.Close(listener)
		return
	}
	file := os.NewFile(uintptr(listener), "supervised calls")
	defer file.Close()
	conn, err := file.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Read(func(fd uintptr) (done bool) {
		for {
			ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			_, err := unix.Poll(ready, 0)
			switch {
			case err == unix.EINTR:
			case err != nil:
				return true
			case ready[0].Revents&unix.POLLIN != 0:
				s.answerNext(fd)
			default:
				return ready[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0
			}
		}
	})
}

// answerNext answers one call, if whoever made it still waits.
func (s *supervisor) answerNext(listener uintptr) {
	var call supervisedCall
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, listener, unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&call))); errno != 0 {
		return
	}
	// While the caller waits its process id is its own. Only afterwards is it known that
	// it still waited when its memory and files were read; nothing was done by then that
	// it could not have asked for itself.
	waits := func() bool {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, listener, unix.SECCOMP_IOCTL_NOTIF_ID_VALID, uintptr(unsafe.Pointer(&call.ID)))
		return errno == 0
	}
	answer := supervisedAnswer{ID: call.ID}
	name := s.number[call.Nr]
	switch {
	case isTurnCall(name):
		if s.mayTakeTurn(name, &call) {
			answer.Flags = unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE
		} else {
			answer.Error = -int32(unix.EPERM)
		}
	default:
		answer.Error = -int32(s.changeMetadata(name, &call, waits))
	}
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, listener, unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&answer)))
}

// isWritable reports whether an open file is in a directory of the command.
func (s *supervisor) isWritable(fd int) bool {
	path, err := placeOf(fd)
	if err != nil {
		return false
	}
	for _, dir := range s.writable {
		if path == dir || below(path, dir) {
			return true
		}
	}
	return false
}

// turnCalls change whose turn on a processor it is, for a thread whose id is an argument.
var turnCalls = []string{"setpriority", "ioprio_set", "sched_setscheduler", "sched_setparam", "sched_setattr", "sched_setaffinity"}

func isTurnCall(name string) bool {
	return strings.HasPrefix(name, "sched_") || name == "setpriority" || name == "ioprio_set"
}

// mayTakeTurn reports whether the thread that a call is about belongs to the command
// of the caller. Both ids are in registers, which nobody can exchange.
func (s *supervisor) mayTakeTurn(name string, call *supervisedCall) bool {
	target := int(int32(call.Args[0]))
	if name == "setpriority" || name == "ioprio_set" {
		target = int(int32(call.Args[1])) // the first argument says that it is one process
	}
	if target <= 0 {
		return false
	}
	caller := int(call.Pid)
	if label := s.labels.of(caller); label != 0 {
		return s.labels.of(target) == label
	}
	_, err := os.Stat(fmt.Sprintf("/proc/%d/task/%d", caller, target))
	return err == nil
}
