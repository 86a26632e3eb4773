package exec

import (
	"bytes"
	"math/bits"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// A label is a number that the kernel hands on from a process to everything it
// starts, whatever that does with its session, its parents, its environment and
// its files: the soft limit of RLIMIT_RTTIME. That limit concerns real-time
// processes only, and a label is so large a number that it never bites them. The
// filter of the contained levels keeps a command from changing it, so there it
// tells beyond doubt whose a process is. At level none a command can change it,
// and is then known by what it did not think of hiding.
type labels struct {
	on   bool
	root uint64 // what all labels of this Runner begin with

	room room

	mu   sync.Mutex // held while this process bears a label, for a child to inherit
	next uint64
}

// A label is a mark that it is one, a number for the Runner, and one for the command.
const (
	labelBits   = bits.UintSize - 2 // below what means unlimited anywhere
	commandBits = labelBits / 2
	commandMask = 1<<commandBits - 1
)

// openLabels finds out whether this process may give labels.
func openLabels(workRoot string) *labels {
	const rootMask = 1<<(labelBits-commandBits) - 1
	l := &labels{root: 1<<labelBits | (hashOf(workRoot)&rootMask)<<commandBits, room: openRoom()}
	var was unix.Rlimit
	if unix.Prlimit(0, unix.RLIMIT_RTTIME, nil, &was) != nil || was.Max != unix.RLIM_INFINITY {
		return l
	}
	l.on = l.set(l.root) == nil && l.of(0) == l.root
	if l.on {
		l.on = l.set(unix.RLIM_INFINITY) == nil
	}
	return l
}

func (l *labels) set(n uint64) error {
	return unix.Prlimit(0, unix.RLIMIT_RTTIME, &unix.Rlimit{Cur: n, Max: unix.RLIM_INFINITY}, nil)
}

// give lets fork start a process that bears a new label, 0 where there are none, and
// leaves us room. The caller is no contained thread: such a one may change neither.
func (l *labels) give(fork func(label uint64)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.room.keep()()
	if !l.on {
		fork(0)
		return
	}
	l.next++
	label := l.root | l.next&commandMask
	if l.set(label) != nil {
		label = 0
	}
	fork(label)
	_ = l.set(unix.RLIM_INFINITY)
}

// of is the label of a process, 0 if it has none of this Runner's.
func (l *labels) of(pid int) uint64 {
	var has unix.Rlimit
	if unix.Prlimit(pid, unix.RLIMIT_RTTIME, nil, &has) != nil {
		// Root without CAP_SYS_RESOURCE may not ask about another user's process.
		var buf [4096]byte
		text, _ := readProc(pid, "limits", buf[:])
		has.Cur = labelIn(text)
	}
	if has.Cur&^commandMask != l.root {
		return 0
	}
	return has.Cur
}

// labelIn finds the label in /proc/PID/limits.
func labelIn(text []byte) uint64 {
	for line := range bytes.Lines(text) {
		if v, ok := bytes.CutPrefix(line, []byte("Max realtime timeout")); ok {
			if f := bytes.Fields(v); len(f) > 0 {
				n, _ := strconv.ParseUint(string(f[0]), 10, 64)
				return n
			}
		}
	}
	return 0
}

// earlier reports whether a process bears a label of a Runner that was here before.
// Where numbers are short, two work roots may have the same.
func (l *labels) earlier(pid int) bool {
	return l.on && bits.UintSize == 64 && l.of(pid) != 0
}
