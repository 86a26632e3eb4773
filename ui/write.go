package ui

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// writeAll saves everything a task has written so far, as it was written, to
// a new file in dir and returns its path.
func writeAll(ctx context.Context, ctl control.Control, id task.ID, dir string) (path string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	fl, err := ctl.Follow(ctx, control.FollowRequest{ID: id, Output: true, NoWait: true})
	if err != nil {
		return "", err
	}
	defer fl.Close()
	f, err := create(dir, id)
	if err != nil {
		return "", err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	for {
		it, err := fl.Next()
		if isEOF(err) {
			return f.Name(), nil
		}
		if err != nil {
			return f.Name(), fmt.Errorf("after a part was written to %s: %w", f.Name(), err)
		}
		for _, c := range it.Chunks {
			if _, err := f.Write(c.Data); err != nil {
				return "", err
			}
		}
	}
}

// create makes a file that did not exist before.
func create(dir string, id task.ID) (*os.File, error) {
	for n := 0; n < 1000; n++ {
		name := fmt.Sprintf("octaskly-%s.log", id)
		if n > 0 {
			name = fmt.Sprintf("octaskly-%s-%d.log", id, n)
		}
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if !os.IsExist(err) {
			return f, err
		}
	}
	return nil, fmt.Errorf("there are too many files octaskly-%s-*.log in %s", id, dir)
}
