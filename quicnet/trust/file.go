package trust

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/adauldev/octaskly/queue/task"
)

// read reads a file of the directory, refusing one that others may read.
func (d *Dir) read(name string) ([]byte, error) {
	path := filepath.Join(d.path, name)
	if err := private(path, false); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, task.Errorf(task.KindUsage, "open %s: %w", path, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, task.Errorf(task.KindInternal, "read %s: %w", path, err)
	}
	return b, nil
}

// write replaces a file: after a crash at any moment it holds the old bytes or
// the new ones, and after write has returned, the new ones.
func (d *Dir) write(name string, b []byte) (err error) {
	path := filepath.Join(d.path, name)
	f, err := os.CreateTemp(d.path, "."+name+"-*") // made with mode 0600
	if err != nil {
		return task.Errorf(task.KindInternal, "write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
			err = task.Errorf(task.KindInternal, "write %s: %w", path, err)
		}
	}()
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(d.path)
}
