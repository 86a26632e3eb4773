package account

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// cgroupPath finds the folder of the group this process is in, for a kind of
// file system and, in version 1, a controller.
func cgroupPath(kind, controller string) string {
	mount := cgroupMount(kind, controller)
	if mount == "" {
		return ""
	}
	f, err := os.Open("/proc/self/cgroup")
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		part := strings.SplitN(s.Text(), ":", 3)
		if len(part) == 3 && slices.Contains(strings.Split(part[1], ","), controller) && (controller != "" || part[0] == "0") {
			dir := filepath.Join(mount, part[2])
			if _, err := os.Stat(dir); err == nil {
				return dir
			}
			// In a container the group's own folder is the root of the mount.
			return mount
		}
	}
	return ""
}

// cgroupMount finds where such a file system is mounted.
func cgroupMount(kind, controller string) string {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		before, after, ok := strings.Cut(s.Text(), " - ")
		fields, fs := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(fs) < 3 || fs[0] != kind {
			continue
		}
		if controller == "" || slices.Contains(strings.Split(fs[2], ","), controller) {
			return fields[4]
		}
	}
	return ""
}
