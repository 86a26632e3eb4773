package exec

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// workDirs makes the directories that commands get for their own, and removes
// them. Making and removing one costs about as much as a twentieth of starting
// a small program, so a directory that a command provably left untouched is
// handed to the next one.
type workDirs struct {
	root string
	next atomic.Uint64
	// own, if set, gives a new directory to whom its commands run as.
	own   func(path string) error
	clear *clearing // shared by all of a Runner

	mu   sync.Mutex
	free []workDir
	old  []string // what was there before us
}

// What the names of folders in a root begin with.
const (
	cellPrefix = "cell-" // not a command's own directory but a cell's
	keptPrefix = "kept-" // a directory that stays
)

// workDir is one directory together with what shows that it is untouched. It
// is the command's home and holds two empty ones: to work in, and for what is
// temporary. They are not one and the same because some programs take no
// project seriously that lies at the root of the temporary files.
type workDir struct {
	path string
	mark [3]dirMark
	// aged is set when the mark was old enough at the time of handing out that
	// any change by the command shows in it.
	aged bool
}

func (w workDir) work() string { return w.path + sep + "work" }
func (w workDir) temp() string { return w.path + sep + "tmp" }

const sep = string(filepath.Separator)

// parts are the directory and those in it.
func (w workDir) parts() [3]string { return [3]string{w.path, w.work(), w.temp()} }

// marks reads the marks of all parts; false if one is not there.
func (w workDir) marks() (m [3]dirMark, ok bool) {
	for i, path := range w.parts() {
		if m[i], ok = markDir(path); !ok {
			return m, false
		}
	}
	return m, true
}

// maxFreeDirs bounds how many untouched directories are kept for reuse: enough
// that at 10,000 commands a second one is older than clockTick when its turn
// comes again.
const maxFreeDirs = 256

// newWorkDirs makes root. What an earlier process left in it stays until
// removeOld.
func newWorkDirs(root string, clearing *clearing) (*workDirs, error) {
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
	d := &workDirs{root: root, clear: clearing}
	return d, d.survey()
}

// survey notes what an earlier process left, so that no name is given twice
// and removeOld knows what to remove.
func (d *workDirs) survey() error {
	entries, err := os.ReadDir(d.root)
	if err != nil {
		return fmt.Errorf("look into the folder for commands: %w", err)
	}
	var top uint64
	for _, e := range entries {
		name, kept := strings.CutPrefix(e.Name(), keptPrefix)
		n, err := strconv.ParseUint(strings.TrimPrefix(name, cellPrefix), 10, 64)
		if err != nil {
			continue
		}
		top = max(top, n)
		if !kept {
			d.old = append(d.old, e.Name())
		}
	}
	d.next.Store(top)
	return nil
}

// oldTime is how long a start waits for what an earlier process left to go, in all.
const oldTime = 2 * time.Second

// removeOld removes what an earlier process left, when nothing of it lives, or sees
// to it that it will be.
func (d *workDirs) removeOld() error {
	d.mu.Lock()
	old := d.old
	d.old = nil
	d.mu.Unlock()
	var first error
	until := time.Now().Add(oldTime)
	for _, name := range old {
		if err := d.clear.removeWithin(time.Until(until), filepath.Join(d.root, name)); err != nil && first == nil {
			first = fmt.Errorf("remove an old directory: %w", err)
		}
	}
	return first
}

// untouched reports whether nothing is in root but the directories that wait
// there.
func (d *workDirs) untouched() bool {
	entries, err := os.ReadDir(d.root)
	if err != nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range entries {
		path := filepath.Join(d.root, e.Name())
		if !slices.ContainsFunc(d.free, func(w workDir) bool { return w.path == path }) {
			return false
		}
	}
	return true
}

// get returns an untouched directory with mode 0700, the one longest unused
// first. While that one is too young to show later whether it was touched, a
// further one is made, so that there are soon as many as it takes.
func (d *workDirs) get() (workDir, error) {
	d.mu.Lock()
	if n := len(d.free); n > 0 {
		w := d.free[0]
		w.aged = w.mark[2].settled() // made last
		if w.aged || n == maxFreeDirs {
			d.free = append(d.free[:0], d.free[1:]...)
			d.mu.Unlock()
			return w, nil
		}
	}
	d.mu.Unlock()
	return d.fresh()
}

// kept makes a directory that is to stay.
func (d *workDirs) kept() (workDir, error) { return d.make(keptPrefix) }

// fresh makes a directory.
func (d *workDirs) fresh() (workDir, error) { return d.make("") }

func (d *workDirs) make(prefix string) (workDir, error) {
	w := workDir{path: filepath.Join(d.root, prefix+strconv.FormatUint(d.next.Add(1), 10))}
	for _, path := range w.parts() {
		if err := d.makeOne(path); err != nil {
			_ = d.clear.remove(w.path)
			return workDir{}, err
		}
	}
	w.mark, _ = w.marks()
	return w, nil
}

func (d *workDirs) makeOne(path string) error {
	if err := makeDir(path, 0o700); err != nil {
		return fmt.Errorf("make a directory for the command: %w", err)
	}
	if d.own == nil {
		return nil
	}
	if err := d.own(path); err != nil {
		return fmt.Errorf("give a directory to the command's user: %w", err)
	}
	return nil
}

// makeDir makes a directory of exactly that mode, whatever the umask takes away.
func makeDir(path string, mode os.FileMode) error {
	if err := os.Mkdir(path, mode); err != nil {
		return err
	}
	st, err := os.Lstat(path)
	if err != nil || st.Mode().Perm() == mode {
		return err
	}
	return os.Chmod(path, mode)
}

// put takes a directory back when nothing that could still write into it
// lives. An untouched one goes to a later command; any other is removed, and
// if reuse is worth while a new one takes its place.
func (d *workDirs) put(w workDir, reuse bool) error {
	if !reuse || w.mark[0] == (dirMark{}) {
		return d.clear.remove(w.path)
	}
	if mark, ok := w.marks(); w.aged && ok && mark == w.mark {
		return d.keep(w)
	}
	if err := d.clear.remove(w.path); err != nil {
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
	return d.clear.remove(w.path)
}

// close removes the directories kept for reuse.
func (d *workDirs) close() {
	d.mu.Lock()
	free := d.free
	d.free = nil
	d.mu.Unlock()
	for _, w := range free {
		_ = d.clear.remove(w.path)
	}
}
