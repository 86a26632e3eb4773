package exec

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// setMount gives a mount more attributes, and with AT_RECURSIVE all those below it.
func setMount(path string, attr uint64, flags uint) error {
	set := unix.MountAttr{Attr_set: attr}
	err := unix.MountSetattr(unix.AT_FDCWD, path, flags, &set)
	if errors.Is(err, unix.ENOSYS) { // before 5.12
		err = remount(path, attr, flags&unix.AT_RECURSIVE != 0)
	}
	if err != nil {
		return fmt.Errorf("make a mount read-only: %w", err)
	}
	return nil
}

// remount does what setMount does, one mount at a time. What is mounted on a path
// that cannot be reached is left as it is: nobody here gets there.
func remount(path string, attr uint64, below bool) error {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	for _, m := range parseMounts(table) {
		if m.path != path && !(below && strings.HasPrefix(m.path, path+"/")) {
			continue
		}
		err := unix.Mount("", m.path, "", m.flags|mountFlags(attr)|unix.MS_REMOUNT|unix.MS_BIND, "")
		if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EACCES) {
			return fmt.Errorf("%s: %w", m.path, err)
		}
	}
	return nil
}

// mountFlags are attributes as mount(2) wants them.
func mountFlags(attr uint64) (flags uintptr) {
	for _, f := range []struct {
		attr uint64
		flag uintptr
	}{
		{unix.MOUNT_ATTR_RDONLY, unix.MS_RDONLY},
		{unix.MOUNT_ATTR_NOSUID, unix.MS_NOSUID},
		{unix.MOUNT_ATTR_NODEV, unix.MS_NODEV},
		{unix.MOUNT_ATTR_NOEXEC, unix.MS_NOEXEC},
	} {
		if attr&f.attr != 0 {
			flags |= f.flag
		}
	}
	return flags
}

// mountOptions are the options of a mount that a remount must repeat: else they would
// be taken away, which the kernel refuses where they are not ours. Those for times
// stay as they are.
var mountOptions = map[string]uintptr{"ro": unix.MS_RDONLY, "nosuid": unix.MS_NOSUID, "nodev": unix.MS_NODEV, "noexec": unix.MS_NOEXEC}

// aMount is a line of /proc/PID/mountinfo.
type aMount struct {
	path  string
	flags uintptr
}

// parseMounts reads /proc/PID/mountinfo; lines that make no sense are passed over.
func parseMounts(table []byte) (all []aMount) {
	for line := range bytes.Lines(table) {
		f := strings.Fields(string(line))
		if len(f) < 6 {
			continue
		}
		m := aMount{path: unescapeMount(f[4])}
		for o := range strings.SplitSeq(f[5], ",") {
			m.flags |= mountOptions[o]
		}
		all = append(all, m)
	}
	return all
}

// unescapeMount gives a path back its blanks, which are written in octal.
func unescapeMount(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
