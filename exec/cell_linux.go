package exec

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// A cell is a confined thread that waits for commands to start, with a folder
// of its own that holds the directory of the one command it has at a time.
// Confining a thread takes the kernel longer than starting a shell, and cannot
// be undone, so the thread is kept: it may write in its folder only, and
// whatever it starts inherits that. Commands of one cell follow one another
// and find nothing of those before them: what a command left in the cell's
// folder ends the cell.
type cell struct {
	*confinedThread
	dirs *workDirs
}

// confinedThread is a thread of its own on which a confinement was applied. What
// it starts is contained.
type confinedThread struct {
	built int // the fence's version it is subject to
	jobs  chan func()
	ended chan struct{}
}

// cells are those of one confinement.
type cells struct {
	c *confinement

	mu     sync.Mutex
	free   []*cell
	closed bool
}

// maxFreeCells bounds how many threads wait.
const maxFreeCells = 64

// take returns a cell for one command, a waiting one if there is one that
// still fits what is to be fenced off.
func (s *cells) take() (*cell, error) {
	version := s.c.fence.version()
	for {
		s.mu.Lock()
		n := len(s.free)
		if n == 0 {
			s.mu.Unlock()
			return s.open()
		}
		k := s.free[n-1]
		s.free = s.free[:n-1]
		s.mu.Unlock()
		if k.built == version {
			return k, nil
		}
		k.close()
	}
}

// open makes a cell and waits until its thread is confined.
func (s *cells) open() (*cell, error) {
	root := filepath.Join(s.c.dirs.root, cellPrefix+strconv.FormatUint(s.c.dirs.next.Add(1), 10))
	mode := os.FileMode(0o700)
	if s.c.user != nil {
		mode = 0o711
	}
	if err := makeDir(root, mode); err != nil {
		return nil, fmt.Errorf("make a folder for the command: %w", err)
	}
	dirs, err := newWorkDirs(root, s.c.dirs.clear)
	if err != nil {
		return nil, err
	}
	dirs.own = s.c.dirs.own
	thread, err := s.c.openThread(dirs.root)
	if err != nil {
		_ = s.c.dirs.clear.remove(root)
		return nil, err
	}
	return &cell{confinedThread: thread, dirs: dirs}, nil
}

// openThread makes a thread and confines it; what it starts may write in dirs.
func (c *confinement) openThread(dirs ...string) (*confinedThread, error) {
	t := &confinedThread{jobs: make(chan func()), ended: make(chan struct{})}
	ready := make(chan error, 1)
	go func() {
		defer close(t.ended)
		onOwnThread(func() {
			version, err := c.apply(dirs...)
			t.built = version
			ready <- err
			for job := range t.jobs {
				job()
			}
		})
	}()
	if err := <-ready; err != nil {
		t.end()
		return nil, err
	}
	return t, nil
}

// do runs fn on the thread.
func (t *confinedThread) do(fn func()) {
	done := make(chan struct{})
	t.jobs <- func() {
		defer close(done)
		fn()
	}
	<-done
}

// end ends the thread.
func (t *confinedThread) end() {
	close(t.jobs)
	<-t.ended
}

// give takes a cell back when its command and all it started are gone.
func (s *cells) give(k *cell, clean bool) {
	if clean && k.dirs.untouched() {
		s.mu.Lock()
		if !s.closed && len(s.free) < maxFreeCells {
			s.free = append(s.free, k)
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
	}
	k.close()
}

// close ends the thread and removes the folder.
func (k *cell) close() {
	k.end()
	_ = k.dirs.clear.remove(k.dirs.root)
}

// close ends the waiting threads.
func (s *cells) close() {
	s.mu.Lock()
	free := s.free
	s.free, s.closed = nil, true
	s.mu.Unlock()
	for _, k := range free {
		k.close()
	}
}
