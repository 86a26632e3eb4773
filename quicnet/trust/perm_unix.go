//go:build unix

package trust

import (
	"io/fs"
	"os"
	"syscall"

	"github.com/adauldev/octaskly/queue/task"
)

// private refuses what belongs to another user or is open to others. A path that
// does not exist gives fs.ErrNotExist; symbolic links are refused.
func private(path string, dir bool) error {
	fi, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if fi.Mode()&fs.ModeSymlink != 0 || fi.IsDir() != dir {
		return task.Errorf(task.KindUsage, "%s is not a plain %s", path, what(dir)).
			WithHint("move it away and start again")
	}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return task.Errorf(task.KindUsage, "%s belongs to user %d, this is user %d", path, st.Uid, os.Geteuid()).
			WithHint("run as its owner, or use another directory")
	}
	if perm := fi.Mode().Perm(); perm&0o077 != 0 {
		mode := "600"
		if dir {
			mode = "700"
		}
		return task.Errorf(task.KindUsage, "%s is open to other users (mode %04o)", path, perm).
			WithHint("chmod %s %s", mode, path)
	}
	return nil
}

func what(dir bool) string {
	if dir {
		return "directory"
	}
	return "file"
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
