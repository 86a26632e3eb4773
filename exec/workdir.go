package exec

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
)

// workDirs makes the directories that commands get for their own, and removes
// them. Making and removing one costs about as much as a twentieth of starting
// a small program, so a directory that a command provably left untouched is
// handed to the next one.
type workDirs struct {
	root string
	next atomic.Uint64
	// own, if set, gives a new directory to whom its commands run as.
	own func(path string) error

	mu   sync.Mutex
	free []workDir
}

// workDir is one directory together with what shows that it is untouched.
type workDir struct {
	path string
	mark dirMark
	// aged is set when the mark was old enough at the time of handing out that
	// any change by the command shows in it.
	aged bool
}

// maxFreeDirs bounds how many untouched directories are kept for reuse.
const maxFreeDirs = 64

// newWorkDirs makes root. What an earlier process left in it stays until
// removeOld.
func newWorkDirs(root string) (*workDirs, error) {
	if root == "" {
		return nil, fmt.Errorf("start running commands: no folder for their directories is given")
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("find the folder for commands: %w", err)
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for commands: %w", err)
	}
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return nil, fmt.Errorf("find the folder for commands: %w", err)
	}
	d := &workDirs{root: root}
	d.next.Store(highestName(root))
	return d, nil
}

// highestName returns the highest number in use below root, so that names are
// never given twice while anything of an earlier process is there.
func highestName(root string) uint64 {
	var top uint64
	entries, _ := os.ReadDir(root)
	for _, e := range entries {
		if n, err := strconv.ParseUint(e.Name(), 10, 64); err == nil {
			top = max(top, n)
		}
	}
	return top
}

// get returns an empty directory with mode 0700, the one longest unused first.
func (d *workDirs) get() (workDir, error) {
	d.mu.Lock()
	if len(d.free) > 0 {
		w := d.free[0]
		d.free = append(d.free[:0], d.free[1:]...)
		d.mu.Unlock()
		w.aged = w.mark.settled()
		return w, nil
	}
	d.mu.Unlock()
	return d.fresh()
}

// fresh makes a directory.
func (d *workDirs) fresh() (workDir, error) {
	w := workDir{path: filepath.Join(d.root, strconv.FormatUint(d.next.Add(1), 10))}
	if err := os.Mkdir(w.path, 0o700); err != nil {
		return workDir{}, fmt.Errorf("make a directory for the command: %w", err)
	}
	if d.own != nil {
		if err := d.own(w.path); err != nil {
			_ = os.Remove(w.path)
			return workDir{}, fmt.Errorf("give a directory to the command's user: %w", err)
		}
	}
	w.mark, _ = markDir(w.path)
	return w, nil
}

// put takes a directory back when nothing that could still write into it
// lives. An untouched one goes to a later command; any other is removed, and
// if reuse is worth while a new one takes its place.
func (d *workDirs) put(w workDir, reuse bool) error {
	if !reuse || w.mark == (dirMark{}) {
		return removeTree(w.path)
	}
	if mark, ok := markDir(w.path); w.aged && ok && mark == w.mark {
		return d.keep(w)
	}
	if err := removeTree(w.path); err != nil {
		return err
	}
	w, err := d.fresh()
	if err != nil {
		return err
	}
	return d.keep(w)
}

// keep adds a directory to the free ones.
func (d *workDirs) keep(w workDir) error {
	d.mu.Lock()
	if len(d.free) < maxFreeDirs {
		d.free = append(d.free, w)
		d.mu.Unlock()
		return nil
	}
	d.mu.Unlock()
	return os.Remove(w.path)
}

// close removes the directories kept for reuse.
func (d *workDirs) close() {
	d.mu.Lock()
	free := d.free
	d.free = nil
	d.mu.Unlock()
	for _, w := range free {
		_ = os.Remove(w.path)
	}
}

// removeTree removes a directory and everything in it, also what was made
// unreadable. It never follows a symbolic link out of it.
func removeTree(path string) error {
	if os.Remove(path) == nil {
		return nil
	}
	err := os.RemoveAll(path)
	if err == nil {
		return nil
	}
	root, rerr := os.OpenRoot(filepath.Dir(path))
	if rerr != nil {
		return err
	}
	defer root.Close()
	openUp(root, filepath.Base(path))
	return os.RemoveAll(path)
}

// openUp gives the owner access to every directory below name. The names are
// resolved inside root, so that a directory exchanged for a link meanwhile
// leads nowhere.
func openUp(root *os.Root, name string) {
	st, err := root.Lstat(name)
	if err != nil || !st.IsDir() {
		return
	}
	if st.Mode().Perm()&0o700 != 0o700 {
		_ = root.Chmod(name, 0o700)
	}
	dir, err := root.Open(name)
	if err != nil {
		return
	}
	entries, _ := dir.ReadDir(-1)
	dir.Close()
	for _, e := range entries {
		if e.IsDir() {
			openUp(root, filepath.Join(name, e.Name()))
		}
	}
}
