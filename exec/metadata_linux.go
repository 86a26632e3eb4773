package exec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// metadataRule says what a filter does with calls that change modes, owners, times and
// attributes of files. Landlock has no right for these: what the user of a command
// owns it may change, also where it can neither read nor write.
type metadataRule uint8

const (
	metadataOpen   metadataRule = iota // the tree is read-only
	metadataOwners                     // others own the files; only attributes are refused
	metadataAsk                        // a supervisor does it in the command's directories
	metadataRefuse                     // where there can be no supervisor
)

// fileMetadataCalls change the mode, owner or times of a file.
var fileMetadataCalls = []string{
	"chmod", "fchmod", "fchmodat", "fchmodat2",
	"chown", "lchown", "fchown", "fchownat", "chown32", "lchown32", "fchown32",
	"utime", "utimes", "futimesat", "utimensat", "utimensat_time64",
}

// shortOwnerCalls have owners of 16 bits where there are others with 32.
var shortOwnerCalls = map[string]bool{"chown": true, "lchown": true, "fchown": true}

// attributeCalls set what programs can do without, and are told that there is none.
var attributeCalls = []string{
	"setxattr", "lsetxattr", "fsetxattr", "setxattrat", "removexattr", "lremovexattr", "fremovexattr", "removexattrat", "file_setattr",
}

// lateCalls are those that the list of system calls may not know yet. Since 5.1 a call
// has the same number everywhere.
var lateCalls = map[string]int{"setxattrat": 463, "removexattrat": 466, "file_setattr": 469}

// Requests of ioctl that change a file which is open for reading only.
var attributeRequests = []uint32{
	0x40086602, 0x40046602, // FS_IOC_SETFLAGS, as 64-bit and 32-bit programs ask for it
	0x401c5820,             // FS_IOC_FSSETXATTR
	0x40087602, 0x40047602, // FS_IOC_SETVERSION
	0x40806685, // FS_IOC_ENABLE_VERITY
}

// metadataCalls are those that a supervisor answers on a machine with the given calls.
func metadataCalls(numbers map[string]int) (names []string) {
	_, long := numbers["chown32"]
	for _, name := range fileMetadataCalls {
		if !long || !shortOwnerCalls[name] {
			names = append(names, name)
		}
	}
	return names
}

// metadata adds what a rule says to the filter.
func (f *filterBuilder) metadata(rule metadataRule) {
	if rule == metadataOpen {
		return
	}
	for _, name := range attributeCalls {
		if nr, ok := lateCalls[name]; ok {
			f.names[name] = nr
		}
		f.deny(name, unix.EOPNOTSUPP)
	}
	for _, request := range attributeRequests {
		f.denyValueWith("ioctl", 1, request, unix.EOPNOTSUPP)
	}
	if rule == metadataOwners {
		return
	}
	asked := metadataCalls(f.names)
	for _, name := range asked {
		if rule == metadataAsk {
			f.ask(name)
		} else {
			f.deny(name, unix.EPERM)
		}
	}
	if len(asked) < len(fileMetadataCalls) {
		for name := range shortOwnerCalls {
			f.deny(name, unix.ENOSYS)
		}
	}
}

// changeMetadata does what a call asks for, if the file is in a directory of the command.
func (s *supervisor) changeMetadata(name string, call *supervisedCall, waits func() bool) unix.Errno {
	change, errno := readMetadataCall(name, call)
	if errno != 0 {
		return errno
	}
	file, err := change.open(int(call.Pid))
	if err != nil {
		return errnoOf(err)
	}
	defer unix.Close(file)
	switch {
	case !waits():
		return unix.EINTR // nobody hears it
	case !s.isWritable(file):
		return unix.EPERM
	}
	return errnoOf(change.do(file))
}

func errnoOf(err error) unix.Errno {
	if err == nil {
		return 0
	}
	if errno, ok := err.(unix.Errno); ok { //nolint:errorlint // as x/sys returns it
		return errno
	}
	return unix.EPERM
}

// metadataChange is a call in words: a file, and what is to be done with it.
type metadataChange struct {
	dir      int    // what the path starts from, AT_FDCWD, or the file itself if there is no path
	path     string // empty: the file is dir
	noFollow bool
	do       func(file int) error
}

// readMetadataCall reads a call's arguments, also those in the memory of the caller.
func readMetadataCall(name string, call *supervisedCall) (metadataChange, unix.Errno) {
	a, pid := call.Args, int(call.Pid)
	arg := func(i int) int { return int(int32(a[i])) }
	change := metadataChange{dir: unix.AT_FDCWD}
	pathAt, flags := 0, 0
	switch name {
	case "chmod":
		change.do = setMode(a[1])
	case "fchmod":
		change.dir, pathAt, change.do = arg(0), -1, setMode(a[1])
	case "fchmodat", "fchmodat2":
		change.dir, pathAt, change.do = arg(0), 1, setMode(a[2])
		if name == "fchmodat2" {
			flags = arg(3)
		}
	case "chown", "chown32":
		change.do = setOwner(arg(1), arg(2))
	case "lchown", "lchown32":
		change.do, flags = setOwner(arg(1), arg(2)), unix.AT_SYMLINK_NOFOLLOW
	case "fchown", "fchown32":
		change.dir, pathAt, change.do = arg(0), -1, setOwner(arg(1), arg(2))
	case "fchownat":
		change.dir, pathAt, change.do, flags = arg(0), 1, setOwner(arg(2), arg(3)), arg(4)
	default:
		return readTimesCall(name, call)
	}
	if flags&^(unix.AT_SYMLINK_NOFOLLOW|unix.AT_EMPTY_PATH) != 0 {
		return change, unix.EINVAL
	}
	change.noFollow = flags&unix.AT_SYMLINK_NOFOLLOW != 0
	return change.from(pid, a, pathAt, flags)
}

// readTimesCall is readMetadataCall for times.
func readTimesCall(name string, call *supervisedCall) (metadataChange, unix.Errno) {
	a, pid := call.Args, int(call.Pid)
	const long = unix.SizeofLong
	change := metadataChange{dir: unix.AT_FDCWD}
	pathAt, timesAt, flags := 0, 1, 0
	size, unit := uintptr(4*long), int64(1000) // two pairs, of microseconds
	switch name {
	case "utime":
		size, unit = 2*long, 0
	case "utimes":
	case "futimesat":
		change.dir, pathAt, timesAt = int(int32(a[0])), 1, 2
	case "utimensat", "utimensat_time64":
		change.dir, pathAt, timesAt, flags, unit = int(int32(a[0])), 1, 2, int(int32(a[3])), 1
		if name == "utimensat_time64" {
			size = 4 * 8
		}
	default:
		return change, unix.ENOSYS
	}
	if flags&^(unix.AT_SYMLINK_NOFOLLOW|unix.AT_EMPTY_PATH) != 0 {
		return change, unix.EINVAL
	}
	change.noFollow = flags&unix.AT_SYMLINK_NOFOLLOW != 0
	times := [2]unix.Timespec{{Nsec: timeNow}, {Nsec: timeNow}}
	if a[timesAt] != 0 {
		raw := make([]byte, size)
		if err := readMemory(pid, uintptr(a[timesAt]), raw); err != nil {
			return change, unix.EFAULT
		}
		var ok bool
		if times, ok = timesIn(raw, unit); !ok {
			return change, unix.EINVAL
		}
	}
	change.do = func(file int) error { return unix.UtimesNanoAt(file, "", times[:], unix.AT_EMPTY_PATH) }
	if pathAt == 1 && a[1] == 0 { // futimens
		pathAt = -1
	}
	return change.from(pid, a, pathAt, flags)
}

// timesIn reads two times: seconds each, and parts of a second of so many nanoseconds
// each, or none if unit is 0.
func timesIn(raw []byte, unit int64) (times [2]unix.Timespec, ok bool) {
	fields := 4
	if unit == 0 {
		fields = 2
	}
	width := len(raw) / fields
	field := func(i int) int64 {
		if width == 4 {
			return int64(int32(binary.NativeEndian.Uint32(raw[4*i:])))
		}
		return int64(binary.NativeEndian.Uint64(raw[8*i:]))
	}
	for i := range times {
		if unit == 0 {
			setLong(&times[i].Sec, field(i))
			continue
		}
		part := field(2*i + 1)
		if unit > 1 && (part < 0 || part >= 1e9/unit) {
			return times, false
		}
		setLong(&times[i].Sec, field(2*i))
		setLong(&times[i].Nsec, part*unit)
	}
	return times, true
}

// timeNow, as nanoseconds, stands for the time at which it is set (UTIME_NOW).
const timeNow = 1<<30 - 1

// setLong sets one of the kernel's longs, which have 32 bits on some processors.
func setLong[T int32 | int64](to *T, n int64) { *to = T(n) }

func setMode(mode uint64) func(int) error {
	return func(file int) error {
		return unix.Fchmodat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", file), uint32(mode)&0o7777, 0)
	}
}

func setOwner(uid, gid int) func(int) error {
	return func(file int) error { return unix.Fchownat(file, "", uid, gid, unix.AT_EMPTY_PATH) }
}

// from adds the path, which is at an argument's address; with -1 there is none.
func (m metadataChange) from(pid int, args [6]uint64, pathAt, flags int) (metadataChange, unix.Errno) {
	if pathAt < 0 {
		return m, 0
	}
	path, errno := readPath(pid, uintptr(args[pathAt]))
	switch {
	case errno != 0:
		return m, errno
	case path == "" && flags&unix.AT_EMPTY_PATH == 0:
		return m, unix.ENOENT
	}
	m.path = path
	return m, 0
}

// open opens the file that a caller means, without any access to it.
func (m metadataChange) open(pid int) (int, error) {
	const how = unix.O_PATH | unix.O_CLOEXEC
	if n, ok := ownFile(m.path); ok { // as C libraries do it
		return unix.Open(fmt.Sprintf("/proc/%d/fd/%s", pid, n), how, 0)
	}
	dir := unix.AT_FDCWD
	if !strings.HasPrefix(m.path, "/") {
		name := fmt.Sprintf("/proc/%d/cwd", pid)
		if m.dir != unix.AT_FDCWD {
			name = fmt.Sprintf("/proc/%d/fd/%d", pid, m.dir)
		}
		var err error
		if dir, err = unix.Open(name, how, 0); err == unix.ENOENT && m.dir != unix.AT_FDCWD {
			return -1, unix.EBADF
		}
		if err != nil || m.path == "" {
			return dir, err
		}
		defer unix.Close(dir)
	}
	flags := uint64(how)
	if m.noFollow {
		flags |= unix.O_NOFOLLOW
	}
	// Such links lead to whoever looks, which is us and not the caller.
	return unix.Openat2(dir, m.path, &unix.OpenHow{Flags: flags, Resolve: unix.RESOLVE_NO_MAGICLINKS})
}

// ownFile is the number in a path that names an open file of the caller.
func ownFile(path string) (number string, ok bool) {
	for _, prefix := range []string{"/proc/self/fd/", "/proc/thread-self/fd/", "/dev/fd/"} {
		if n, found := strings.CutPrefix(path, prefix); found && n != "" && strings.Trim(n, "0123456789") == "" {
			return n, true
		}
	}
	return "", false
}

// readPath reads a path from the memory of a process.
func readPath(pid int, addr uintptr) (string, unix.Errno) {
	page := uintptr(os.Getpagesize())
	var path []byte
	for len(path) < unix.PathMax {
		// One page at a time: the next one may not be there.
		part := make([]byte, min(page-addr%page, uintptr(unix.PathMax-len(path))))
		if err := readMemory(pid, addr, part); err != nil {
			return "", errnoOf(err)
		}
		if i := bytes.IndexByte(part, 0); i >= 0 {
			return string(append(path, part[:i]...)), 0
		}
		path, addr = append(path, part...), addr+uintptr(len(part))
	}
	return "", unix.ENAMETOOLONG
}

// readMemory fills buf from the memory of a process.
func readMemory(pid int, addr uintptr, buf []byte) error {
	local := []unix.Iovec{{Base: &buf[0]}}
	local[0].SetLen(len(buf))
	n, err := unix.ProcessVMReadv(pid, local, []unix.RemoteIovec{{Base: addr, Len: len(buf)}}, 0)
	if err == nil && n != len(buf) {
		err = unix.EFAULT
	}
	return err
}
