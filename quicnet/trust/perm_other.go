//go:build !unix

package trust

import (
	"os"

	"github.com/adauldev/octaskly/queue/task"
)

// private checks only the kind of file: who may read it is decided here by the
// access list that a user's own directories inherit.
func private(path string, dir bool) error {
	fi, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if fi.IsDir() != dir || (!dir && !fi.Mode().IsRegular()) {
		return task.Errorf(task.KindUsage, "%s is not what it should be", path).WithHint("move it away and start again")
	}
	return nil
}

// syncDir does nothing: directories cannot be synced here.
func syncDir(string) error { return nil }
