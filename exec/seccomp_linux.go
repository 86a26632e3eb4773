package exec

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"unsafe"

	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Offsets in what a filter gets to see of a system call.
const (
	seccompNumber = 0
	seccompArch   = 4
	seccompArgs   = 16
)

// What a filter answers.
const (
	seccompAllow = 0x7fff0000
	seccompErrno = 0x00050000
	seccompKill  = 0x80000000
	seccompAsk   = unix.SECCOMP_RET_USER_NOTIF
)

// x32Bit marks the calls of the 32-bit interface that an amd64 program can
// reach without changing its architecture.
const x32Bit = 0x40000000

// deniedAlways can lead out of the sandbox, to other processes or to the whole
// machine, and no ordinary program needs them.
var deniedAlways = []string{
	// other processes
	"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
	// file trees
	"mount", "umount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick", "open_tree",
	"open_tree_attr", "move_mount", "mount_setattr", "open_by_handle_at", "quotactl", "quotactl_fd",
	"swapon", "swapoff", "acct", "statmount", "listmount",
	// namespaces
	"unshare", "setns",
	// the kernel
	"bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
	"keyctl", "add_key", "request_key", "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module",
	"create_module", "get_kernel_syms", "query_module", "nfsservctl", "lookup_dcookie", "uselib", "_sysctl", "sysfs",
	"syslog", "reboot", "sethostname", "setdomainname", "vhangup", "fanotify_init",
	// clocks and ports
	"settimeofday", "stime", "clock_settime", "clock_settime64", "clock_adjtime", "clock_adjtime64", "adjtimex", "iopl", "ioperm",
}

// deniedNetwork are what a command without network is not to use: to reach
// another socket, or to be reached.
var deniedNetwork = []string{"connect", "listen", "accept", "accept4"}

// deniedShared make memory and queues that everybody on the machine shares and that
// outlive a command.
var deniedShared = []string{"shmget", "msgget", "semget", "mq_open"}

// namespaceFlags are the flags of clone that make namespaces.
const namespaceFlags = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWTIME

// filterFor builds the filter of a level. Anything not named is allowed;
// another architecture's calls end the process, since their numbers mean
// something else.
func filterFor(rules filterRules) ([]unix.SockFilter, error) {
	id, names, err := systemCalls()
	if err != nil {
		return nil, err
	}
	return filterOf(rules, id, names)
}

// filterRules say what a filter refuses.
type filterRules struct {
	level    Level
	abi      int // the version of Landlock, whose gaps the filter closes
	metadata metadataRule
	turns    turnRule
}

// turnRule says what a filter does with calls about whose turn on a processor it is.
type turnRule uint8

const (
	turnsOfOthers turnRule = iota // anybody's whom the kernel lets it change
	turnsOwn                      // the calling thread's only
	turnsAsk                      // those of its command, which a supervisor knows
)

// systemCalls are the calls of this machine and the number of its architecture.
func systemCalls() (id uint32, names map[string]int, err error) {
	info, err := arch.GetInfo("")
	if err != nil || len(info.SyscallNames) == 0 {
		return 0, nil, fmt.Errorf("no system calls are known for %s", runtime.GOARCH)
	}
	names = maps.Clone(info.SyscallNames)
	maps.Copy(names, lateCalls)
	return uint32(info.ID), names, nil
}

// filterOf is filterFor for an architecture with the given calls.
func filterOf(rules filterRules, arch uint32, names map[string]int) ([]unix.SockFilter, error) {
	level, abi := rules.level, rules.abi
	f := filterBuilder{names: names}
	f.prologue(arch)
	for _, name := range deniedAlways {
		f.deny(name, unix.EPERM)
	}
	// A libc that is told that clone3 is missing uses clone, whose flags can
	// be looked at.
	f.deny("clone3", unix.ENOSYS)
	f.denyBits("clone", 0, namespaceFlags)
	f.denyValue("ioctl", 1, unix.TIOCSTI)
	f.denyValue("ioctl", 1, tioclinux)
	f.denyNonzero("prlimit64", 0)
	f.denyValue("setrlimit", 0, unix.RLIMIT_RTTIME) // the label
	f.denySetting("prlimit64", unix.RLIMIT_RTTIME)
	f.denyValue("setrlimit", 0, unix.RLIMIT_NPROC) // the room we need
	f.denySetting("prlimit64", unix.RLIMIT_NPROC)
	f.personality()
	f.denySetuid()
	f.metadata(rules.metadata)
	f.turns(rules.turns)
	if abi < 3 {
		// Landlock cannot stop truncation yet.
		f.deny("truncate", unix.EACCES)
		f.deny("truncate64", unix.EACCES)
		f.denyReadTruncate("open", 1)
		f.denyReadTruncate("openat", 2)
	}
	switch level {
	case VeryStrict:
		f.allowSockets()
		f.allowOnly(allowedCalls)
		return f.assemble()
	case Strict:
		f.denySockets()
		for _, name := range deniedNetwork {
			f.deny(name, unix.EACCES)
		}
		f.denyNonzero("sendto", 4)
		for _, name := range deniedShared {
			f.deny(name, unix.EPERM)
		}
	}
	f.add(bpf.RetConstant{Val: seccompAllow})
	return f.assemble()
}

// tioclinux is the request that can type on the console.
const tioclinux = 0x541c

// filterBuilder collects instructions. Between blocks the accumulator holds
// the number of the call.
type filterBuilder struct {
	names map[string]int
	prog  []bpf.Instruction
}

func (f *filterBuilder) add(in ...bpf.Instruction) { f.prog = append(f.prog, in...) }

func (f *filterBuilder) prologue(arch uint32) {
	f.add(
		bpf.LoadAbsolute{Off: seccompArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: arch, SkipTrue: 1},
		bpf.RetConstant{Val: seccompKill},
		bpf.LoadAbsolute{Off: seccompNumber, Size: 4},
	)
	if runtime.GOARCH == "amd64" {
		f.add(bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: x32Bit, SkipFalse: 1}, bpf.RetConstant{Val: seccompKill})
	}
}

// deny refuses a call, whatever its arguments. A name that this architecture
// does not have is passed over.
func (f *filterBuilder) deny(name string, errno unix.Errno) {
	f.answer(name, seccompErrno|uint32(errno))
}

// ask leaves a call to the supervisor, whatever its arguments.
func (f *filterBuilder) ask(name string) { f.answer(name, seccompAsk) }

// answer gives a call that answer.
func (f *filterBuilder) answer(name string, answer uint32) {
	if nr, ok := f.names[name]; ok {
		f.add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(nr), SkipFalse: 1}, bpf.RetConstant{Val: answer})
	}
}

// when runs a block for one call and restores the accumulator after it.
func (f *filterBuilder) when(name string, block ...bpf.Instruction) {
	nr, ok := f.names[name]
	if !ok {
		return
	}
	block = append(block, bpf.LoadAbsolute{Off: seccompNumber, Size: 4})
	f.add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(nr), SkipFalse: uint8(len(block))})
	f.add(block...)
}

// argLow loads the low half of an argument. On the machines this is built for
// it comes first.
func argLow(i int) bpf.LoadAbsolute {
	return bpf.LoadAbsolute{Off: uint32(seccompArgs + 8*i), Size: 4}
}

func argHigh(i int) bpf.LoadAbsolute {
	return bpf.LoadAbsolute{Off: uint32(seccompArgs + 8*i + 4), Size: 4}
}

// denyBits refuses a call when any of bits is set in its argument.
func (f *filterBuilder) denyBits(name string, arg int, bits uint32) {
	f.when(name, argLow(arg),
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: bits, SkipFalse: 1},
		bpf.RetConstant{Val: seccompErrno | uint32(unix.EPERM)})
}

// denyValue refuses a call when the low half of its argument is value: the
// kernel takes such arguments as 32 bits.
func (f *filterBuilder) denyValue(name string, arg int, value uint32) {
	f.denyValueWith(name, arg, value, unix.EPERM)
}

// denyValueWith is denyValue with another answer.
func (f *filterBuilder) denyValueWith(name string, arg int, value uint32, errno unix.Errno) {
	f.when(name, argLow(arg),
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: value, SkipFalse: 1},
		bpf.RetConstant{Val: seccompErrno | uint32(errno)})
}

// denyNonzero refuses a call when its argument is anything but 0.
func (f *filterBuilder) denyNonzero(name string, arg int) {
	f.answerNonzero(name, arg, seccompErrno|uint32(unix.EPERM))
}

// answerNonzero gives a call that answer when its argument is anything but 0.
func (f *filterBuilder) answerNonzero(name string, arg int, answer uint32) {
	f.when(name, argLow(arg),
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: 2},
		argHigh(arg),
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1},
		bpf.RetConstant{Val: answer})
}

// denySetting refuses to set a limit, and allows to ask for it.
func (f *filterBuilder) denySetting(name string, limit uint32) {
	f.when(name, argLow(1),
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: limit, SkipTrue: 5},
		argLow(2),
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: 2},
		argHigh(2),
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1},
		bpf.RetConstant{Val: seccompErrno | uint32(unix.EPERM)})
}

// personality allows asking for it and turning address randomisation off.
func (f *filterBuilder) personality() {
	const noRandomize, ask = 0x0040000, 0xffffffff
	f.when("personality", argLow(0),
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 3},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: noRandomize, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: ask, SkipTrue: 1},
		bpf.RetConstant{Val: seccompErrno | uint32(unix.EPERM)})
}

// denySetuid refuses to make programs that run as their owner: by one, another user
// of the machine would become the one who runs commands.
func (f *filterBuilder) denySetuid() {
	const bits = unix.S_ISUID | unix.S_ISGID
	for _, name := range []string{"chmod", "fchmod", "creat", "mknod"} {
		f.denyBits(name, 1, bits)
	}
	for _, name := range []string{"fchmodat", "fchmodat2", "mknodat"} {
		f.denyBits(name, 2, bits)
	}
	for i, name := range []string{"open", "openat"} {
		f.when(name, argLow(1+i), // with other flags the mode is not an argument
			bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: unix.O_CREAT | unix.O_TMPFILE&^unix.O_DIRECTORY, SkipFalse: 3},
			argLow(2+i),
			bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: bits, SkipFalse: 1},
			bpf.RetConstant{Val: seccompErrno | uint32(unix.EPERM)})
	}
	f.deny("openat2", unix.ENOSYS) // what it is asked for cannot be looked at
}

// denySockets refuses sockets of every family but the local one, and there those that
// send to whom they like without connecting.
func (f *filterBuilder) denySockets() {
	const kind = 0xf // beside it are flags
	f.when("socket", argLow(0),
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.AF_UNIX, SkipTrue: 3},
		argLow(1),
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: kind},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.SOCK_DGRAM, SkipTrue: 1},
		bpf.RetConstant{Val: seccompErrno | uint32(unix.EACCES)})
	f.when("socketpair", argLow(1),
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: kind},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.SOCK_DGRAM, SkipTrue: 1},
		bpf.RetConstant{Val: seccompErrno | uint32(unix.EACCES)})
}

// turns says for whom a command may change whose turn it is: how urgent a process is,
// and on which processors it runs. Groups of processes and all of a user are refused.
func (f *filterBuilder) turns(rule turnRule) {
	other := seccompErrno | uint32(unix.EPERM)
	switch rule {
	case turnsOfOthers:
		return
	case turnsAsk:
		other = seccompAsk
	}
	f.denyNonzero("setpriority", 0) // all but PRIO_PROCESS
	f.answerNonzero("setpriority", 1, other)
	const oneProcess = 1 // IOPRIO_WHO_PROCESS
	f.when("ioprio_set", argLow(0),
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: oneProcess, SkipTrue: 1},
		bpf.RetConstant{Val: seccompErrno | uint32(unix.EPERM)})
	f.answerNonzero("ioprio_set", 1, other)
	for _, name := range []string{"sched_setscheduler", "sched_setparam", "sched_setattr", "sched_setaffinity"} {
		f.answerNonzero(name, 0, other)
	}
}

// denyReadTruncate refuses to open a file for reading and truncate it.
func (f *filterBuilder) denyReadTruncate(name string, arg int) {
	f.when(name, argLow(arg),
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: unix.O_TRUNC, SkipFalse: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: unix.O_ACCMODE, SkipTrue: 1},
		bpf.RetConstant{Val: seccompErrno | uint32(unix.EACCES)})
}

func (f *filterBuilder) assemble() ([]unix.SockFilter, error) {
	raw, err := bpf.Assemble(f.prog)
	if err != nil {
		return nil, fmt.Errorf("assemble the system call filter: %w", err)
	}
	if len(raw) > 4096 {
		return nil, errors.New("the system call filter is too long")
	}
	prog := make([]unix.SockFilter, len(raw))
	for i, in := range raw {
		prog[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	return prog, nil
}

// loadFilter filters the calls of the calling thread, for ever. The caller has
// locked the thread and set no_new_privs. With supervised it returns the file from
// which what the filter leaves to a supervisor is read, else -1.
func loadFilter(prog []unix.SockFilter, supervised bool) (listener int, err error) {
	fprog := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	ways := []uintptr{0}
	if supervised {
		// The second is for kernels before 5.19. There a signal makes a caller ask twice.
		const listen = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER
		ways = []uintptr{listen | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, listen}
	}
	var errno unix.Errno
	for _, flags := range ways {
		var fd uintptr
		fd, _, errno = unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&fprog)))
		switch {
		case errno == 0 && supervised:
			return int(fd), nil
		case errno == 0:
			return -1, nil
		case errno != unix.EINVAL:
			return -1, fmt.Errorf("load the system call filter: %w", errno)
		}
	}
	return -1, fmt.Errorf("load the system call filter: %w", errno)
}
