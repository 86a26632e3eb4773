package blob

import (
	"errors"
	"io/fs"
	"path"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// Collect removes what nothing refers to: every blob that is not in the set, was
// last put at least grace ago and is not being put now. Grace covers the time
// between storing a blob and submitting the task that names it. It returns how
// many bytes became free. References that are not well formed are ignored.
func (s *Store) Collect(refs map[string]bool, grace time.Duration) (freed int64, err error) {
	keep := make(map[string]bool, len(refs))
	for ref, used := range refs {
		if r, err := ParseRef(ref); err == nil && used {
			_, file := r.path()
			keep[file] = true
		}
	}
	before := time.Now().Add(-grace)
	err = s.each(func(file string, info fs.FileInfo) error {
		if keep[file] || info.ModTime().After(before) || !isBlob(file) {
			return nil
		}
		n, err := s.remove(file, before)
		freed += n
		return err
	})
	if err != nil {
		return freed, task.Errorf(task.KindUnavailable, "clean up the file store: %w", err)
	}
	return freed, nil
}

// remove removes one blob unless it was put meanwhile.
func (s *Store) remove(file string, before time.Time) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := s.root.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && (s.busy[file] > 0 || info.ModTime().After(before)) {
		return 0, nil
	}
	if err == nil {
		err = s.root.Remove(file)
	}
	if err != nil {
		return 0, err
	}
	s.used -= info.Size()
	return info.Size(), nil
}

// isBlob reports whether a path is one that a Ref makes; other files in the folder
// are not ours to remove.
func isBlob(file string) bool {
	dir, name := path.Split(file)
	_, err := ParseRef(name + ":0")
	return err == nil && dir == name[:2]+"/"
}
