package exec

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What a command may do below a path.
const (
	accessRead = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	accessAll  = uint64(1)<<16 - 1 // everything up to IOCTL_DEV
	// accessFile is what can be said of something that is no directory.
	accessFile = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE |
		unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	// accessDevice is for devices a command may use as it likes.
	accessDevice = accessRead | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
)

// landlockABI returns the version of Landlock to build on, 0 for none. Tests let it
// tell an older one.
var landlockABI = kernelLandlock

// kernelLandlock returns the version of Landlock the kernel has, 0 for none.
func kernelLandlock() int {
	n, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// handledFS is every access to files that a kernel of this version can deny.
func handledFS(abi int) uint64 {
	switch {
	case abi >= 5:
		return accessAll
	case abi >= 3:
		return accessAll &^ unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	case abi == 2:
		return accessAll &^ (unix.LANDLOCK_ACCESS_FS_IOCTL_DEV | unix.LANDLOCK_ACCESS_FS_TRUNCATE)
	}
	return accessAll &^ (unix.LANDLOCK_ACCESS_FS_IOCTL_DEV | unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_REFER)
}

// rule allows some access at and below what fd stands for.
type rule struct {
	fd     int
	access uint64
}

// newRule opens a path for a rule. What is not there or is a symbolic link
// gets none.
func newRule(path string, access uint64) (rule, bool) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return rule{}, false
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT == unix.S_IFLNK {
		unix.Close(fd)
		return rule{}, false
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &= accessFile
	}
	return rule{fd: fd, access: access}, true
}

// fence is what a command may touch besides its own directories. It cannot say
// "all but", so it lists what there is beside the protected paths, and lists
// again when that has changed.
type fence struct {
	abi       int
	net       bool     // deny TCP
	protected []string // never readable; absolute, without links
	homes     homes    // readable in part
	fixed     map[string]uint64
	spread    bool // read everything else; otherwise only what fixed names

	mu    sync.Mutex
	built int // how often rules was made
	rules []rule
	split map[string]dirMark // the directories listed, as they were then
	used  int                // rule sets being built from rules
	stale [][]rule           // replaced while in use
}

// version returns a number that changes when the rules do.
func (f *fence) version() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh()
	return f.built
}

// refresh makes the rules anew if there is a reason. The caller holds mu.
func (f *fence) refresh() {
	if f.rules != nil && !f.changed() {
		return
	}
	old := f.rules
	f.build()
	f.built++
	switch {
	case old == nil:
	case f.used == 0:
		closeRules(old)
	default:
		f.stale = append(f.stale, old)
	}
}

// acquire returns the rules as of now and their version; release gives them
// back.
func (f *fence) acquire() ([]rule, int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh()
	f.used++
	return f.rules, f.built
}

func (f *fence) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.used--; f.used > 0 {
		return
	}
	for _, rules := range f.stale {
		closeRules(rules)
	}
	f.stale = nil
}

func (f *fence) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	closeRules(f.rules)
	f.rules = nil
}

func closeRules(rules []rule) {
	for _, r := range rules {
		unix.Close(r.fd)
	}
}

// changed reports whether something was made or removed in a listed directory.
func (f *fence) changed() bool {
	for dir, was := range f.split {
		if now, _ := markDir(dir); now != was {
			return true
		}
	}
	return false
}

func (f *fence) build() {
	f.rules = []rule{}
	f.split = make(map[string]dirMark)
	if f.spread {
		f.open("/")
		f.openListed()
	}
	for path, access := range f.fixed {
		if f.holdsProtected(path) {
			f.open(path)
			continue
		}
		if r, ok := newRule(path, access); ok {
			f.rules = append(f.rules, r)
		}
	}
}

// open allows reading everything in dir but what is protected.
func (f *fence) open(dir string) {
	f.split[dir], _ = markDir(dir)
	// The names in a split directory can be listed, also of what is protected.
	if r, ok := newRule(dir, unix.LANDLOCK_ACCESS_FS_READ_DIR); ok {
		f.rules = append(f.rules, r)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case slices.Contains(f.protected, path), slices.Contains(f.homes.closed, path):
		case f.holdsProtected(path):
			f.open(path)
		default:
			if r, ok := newRule(path, accessRead); ok {
				f.rules = append(f.rules, r)
			}
		}
	}
}

// openListed allows reading what is listed of homes.
func (f *fence) openListed() {
	for _, path := range f.homes.readable {
		if within(path, f.protected) {
			continue
		}
		if st, err := os.Lstat(path); err == nil && st.IsDir() && f.holdsProtected(path) {
			f.open(path)
		} else if r, ok := newRule(path, accessRead); ok {
			f.rules = append(f.rules, r)
		}
	}
}

// holdsProtected reports whether something protected, or a closed home, lies below path.
func (f *fence) holdsProtected(path string) bool {
	isBelow := func(p string) bool { return below(p, path) }
	return slices.ContainsFunc(f.protected, isBelow) || slices.ContainsFunc(f.homes.closed, isBelow)
}

// overlaps reports which protected path is at, above or below path.
func (f *fence) overlaps(path string) string {
	return overlapping(f.protected, path)
}

// restrict confines the calling thread, for ever, to the fence and to the
// given directories, in which everything is allowed. The caller has locked the
// thread and set no_new_privs.
func (f *fence) restrict(dirs ...string) (version int, err error) {
	rules, version := f.acquire()
	defer f.release()
	fs := handledFS(f.abi)
	attr := unix.LandlockRulesetAttr{Handled_access_fs: fs}
	if f.net && f.abi >= 4 {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if f.abi >= 6 {
		attr.Scoped = unix.LANDLOCK_SCOPE_SIGNAL | unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
	}
	set, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return 0, fmt.Errorf("make Landlock rules: %w", errno)
	}
	defer unix.Close(int(set))
	for _, r := range rules {
		if err := addRule(int(set), r, fs); err != nil {
			return 0, err
		}
	}
	for _, dir := range dirs {
		r, ok := newRule(dir, accessAll)
		if !ok {
			return 0, fmt.Errorf("make Landlock rules: the directory %s is not there", dir)
		}
		err := addRule(int(set), r, fs)
		unix.Close(r.fd)
		if err != nil {
			return 0, err
		}
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, set, 0, 0); errno != 0 {
		return 0, fmt.Errorf("apply Landlock rules: %w", errno)
	}
	return version, nil
}

func addRule(set int, r rule, fs uint64) error {
	attr := unix.LandlockPathBeneathAttr{Allowed_access: r.access & fs, Parent_fd: int32(r.fd)}
	if attr.Allowed_access == 0 {
		return nil
	}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(set), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&attr)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("add a Landlock rule: %w", errno)
	}
	return nil
}
