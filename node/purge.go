package node

import (
	"os"
	"path/filepath"
	"time"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/dispatch"
	"github.com/adauldev/octaskly/queue/task"
)

// PurgeOutputs deletes the outputs of tasks that this user's nodes keep on this
// machine, but for those of tasks that held names and those that were written at
// or after before. The nodes may run meanwhile. It returns how many files were
// deleted and how many bytes they had.
func PurgeOutputs(paths config.Paths, held map[task.ID]bool, before time.Time) (files int, bytes int64, err error) {
	slots, err := os.ReadDir(paths.Nodes)
	if os.IsNotExist(err) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	for _, s := range slots {
		n, size, err := dispatch.PurgeOutputs(filepath.Join(paths.Nodes, s.Name()), held, before)
		files, bytes = files+n, bytes+size
		if err != nil {
			return files, bytes, err
		}
	}
	return files, bytes, nil
}
