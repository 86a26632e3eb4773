package exec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What is to be seen in a cage. All of it is read-only.
var (
	cageTrees   = []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix/store", "/gnu/store"}
	cageDevices = []string{"null", "zero", "full", "random", "urandom"}
	cageLinks   = map[string]string{"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}
)

const (
	plainMount = unix.MS_NOSUID | unix.MS_NODEV
	sealed     = unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV
)

// enterView gives the calling process, alone in its mount namespace, a root of
// its own that shows the system and the command's directories.
func enterView(plan cagePlan) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("separate the file tree: %w", err)
	}
	// The new root needs a place for a moment; any directory will do.
	root := filepath.Join(plan.Home, "tmp")
	if err := unix.Mount("root", root, "tmpfs", plainMount, "size=1m,mode=755"); err != nil {
		return fmt.Errorf("make a file tree: %w", err)
	}
	attr := uint64(sealed)
	if plan.Skip == stepSeal {
		attr = unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV
	}
	for _, path := range cageTrees {
		if err := showTree(root, path, attr); err != nil {
			return err
		}
	}
	if err := showDevices(root); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(root, "proc"), 0o555); err != nil {
		return err
	}
	if plan.Skip == stepHide {
		plan.Protected, plan.Closed = nil, nil
	}
	if err := hideAll(root, inViews(slices.Concat(plan.Protected, plan.Closed)), unix.MS_RDONLY); err != nil {
		return err
	}
	if err := showOwn(root, plan); err != nil {
		return err
	}
	if err := setMount(root, unix.MOUNT_ATTR_RDONLY, 0); err != nil {
		return err
	}
	return enterRoot(root, plan)
}

// showOwn shows the command's directories, and a process table of its own.
func showOwn(root string, plan cagePlan) error {
	if err := unix.Mount("proc", filepath.Join(root, "proc"), "proc", plainMount|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("make a process table: %w", err)
	}
	const attr = unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV
	if plan.Dir == "" {
		return bind(plan.Home, plan.Home, root, attr, 0)
	}
	// The path to a directory given may be changed by others at any moment. So it is
	// looked at where nobody else gets, and shown from there.
	stage := workDir{path: plan.Home}.work()
	if err := unix.Mount(plan.Dir, stage, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("show %s: %w", plan.Dir, err)
	}
	var st unix.Stat_t
	if err := unix.Stat(stage, &st); err != nil || idOf(&st) != plan.DirID {
		return fmt.Errorf("show %s: it was replaced meanwhile", plan.Dir)
	}
	if err := bind(stage, plan.Dir, root, attr, 0); err != nil {
		return err
	}
	if err := unix.Unmount(stage, unix.MNT_DETACH); err != nil {
		return fmt.Errorf("show %s: %w", plan.Dir, err)
	}
	return bind(plan.Home, plan.Home, root, attr, 0)
}

// fileID tells one file from all others that exist, whatever path leads to it.
type fileID struct{ Dev, Ino uint64 }

func idOf(st *unix.Stat_t) fileID {
	return fileID{Dev: uint64(st.Dev), Ino: st.Ino} //nolint:unconvert // narrower on some processors
}

// enterRoot makes root the root of the calling process and leaves the old one.
func enterRoot(root string, plan cagePlan) error {
	if plan.Skip == stepPivot {
		return nil
	}
	if err := unix.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("change the file tree: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the old file tree: %w", err)
	}
	return unix.Chdir("/")
}

// enterWholeView gives the calling process, alone in its mount namespace, the file
// tree as it is, but read-only and without what is protected: what Landlock does
// for basic where there is any.
func enterWholeView(plan cagePlan) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("separate the file tree: %w", err)
	}
	root := filepath.Join(plan.Home, "tmp")
	if err := unix.Mount("/", root, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("show the file tree: %w", err)
	}
	if plan.Skip == stepHide {
		plan.Protected, plan.Closed, plan.Readable = nil, nil, nil
	}
	if err := hideAll(root, plan.Closed, 0); err != nil {
		return err
	}
	for _, path := range plan.Readable {
		if within(path, plan.Protected) {
			continue
		}
		if err := bind(path, path, root, unix.MOUNT_ATTR_NOSUID, unix.AT_RECURSIVE); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	if err := hideAll(root, plan.Protected, 0); err != nil {
		return err
	}
	for _, dir := range []string{plan.Home, plan.Dir} { // what hides a folder above them is empty
		if dir == "" {
			continue
		}
		if err := makePlace(dir, filepath.Join(root, dir)); err != nil {
			return fmt.Errorf("show %s: %w", dir, err)
		}
	}
	if plan.Skip != stepSeal {
		if err := setMount(root, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID, unix.AT_RECURSIVE); err != nil {
			return err
		}
	}
	if err := showOwn(root, plan); err != nil {
		return err
	}
	return enterRoot(root, plan)
}

// showTree shows a folder of the system, or the link that stands for it.
func showTree(root, path string, attr uint64) error {
	st, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("show %s: %w", path, err)
	}
	if st.Mode()&os.ModeSymlink == 0 {
		return bind(path, path, root, attr, unix.AT_RECURSIVE)
	}
	to, err := os.Readlink(path)
	if err != nil {
		return fmt.Errorf("show %s: %w", path, err)
	}
	return os.Symlink(to, filepath.Join(root, path))
}

// bind shows a folder or file at a path below root.
func bind(from, path, root string, attr uint64, recursive uint) error {
	to := filepath.Join(root, path)
	if err := makePlace(from, to); err != nil {
		return fmt.Errorf("show %s: %w", path, err)
	}
	flags := uintptr(unix.MS_BIND)
	if recursive != 0 {
		flags |= unix.MS_REC
	}
	if err := unix.Mount(from, to, "", flags, ""); err != nil {
		return fmt.Errorf("show %s: %w", path, err)
	}
	return setMount(to, attr, recursive)
}

// makePlace makes what something of the same kind as path can be mounted on.
func makePlace(path, to string) error {
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if st.IsDir() {
		return os.MkdirAll(to, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_RDONLY, 0o444)
	if err != nil {
		return err
	}
	return f.Close()
}

func showDevices(root string) error {
	for _, name := range cageDevices {
		if err := bind("/dev/"+name, "/dev/"+name, root, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NOEXEC, 0); err != nil {
			return err
		}
	}
	for name, to := range cageLinks {
		if err := os.Symlink(to, filepath.Join(root, "dev", name)); err != nil {
			return err
		}
	}
	return nil
}

// hideAll puts something empty over what must not be read, with more flags if a
// folder is. What is not there needs no hiding; what cannot be reached now cannot be
// by the command either.
func hideAll(root string, protected []string, flags uintptr) error {
	for _, path := range slices.Sorted(slices.Values(protected)) { // a folder before what is in it
		to := filepath.Join(root, path)
		st, err := os.Lstat(to)
		switch {
		case err != nil || st.Mode()&os.ModeSymlink != 0:
			continue
		case st.IsDir():
			err = unix.Mount("hidden", to, "tmpfs", plainMount|flags, "size=64k,mode=755")
		default:
			err = unix.Mount("/dev/null", to, "", unix.MS_BIND, "")
		}
		if err != nil {
			return fmt.Errorf("hide %s: %w", path, err)
		}
	}
	return nil
}

// homeInMemory puts a home of a certain size over the one on disk.
func homeInMemory(home string, size int64) error {
	page := int64(os.Getpagesize())
	pages := (size+page-1)/page + 3 // for the directories themselves
	opt := fmt.Sprintf("mode=700,size=%d", pages*page)
	if err := unix.Mount("home", home, "tmpfs", plainMount, opt); err != nil {
		return fmt.Errorf("make a directory of limited size: %w", err)
	}
	w := workDir{path: home}
	return errors.Join(os.Mkdir(w.work(), 0o700), os.Mkdir(w.temp(), 0o700))
}

// isFull reports whether nothing more can be written in a directory in memory.
func isFull(home string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(home, &fs) == nil && fs.Bavail == 0
}

// raiseLoopback makes the one network a cage has work.
func raiseLoopback() error {
	sock, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("make a network: %w", err)
	}
	defer unix.Close(sock)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_UP)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(sock), unix.SIOCSIFFLAGS, uintptr(unsafe.Pointer(ifr))); errno != 0 {
		return fmt.Errorf("make a network: %w", errno)
	}
	return nil
}

// cageFence is what a command in a cage may touch of what it sees.
func cageFence(plan cagePlan) *fence {
	f := &fence{abi: plan.ABI, fixed: fixedAccess(plan.Level), protected: plan.Protected}
	f.fixed["/proc"] = accessRead
	for path := range f.fixed {
		if strings.HasPrefix(path, "/sys/") {
			delete(f.fixed, path)
		}
	}
	return f
}
