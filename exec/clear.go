package exec

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// clearing removes the directories of commands. What takes long is removed in the
// background: the end of a command is told when it has come, and not when the last
// of a million files is gone. What is left when this process ends is removed by the
// next one.
type clearing struct {
	ctx  context.Context
	stop context.CancelFunc
	log  *slog.Logger

	mu   sync.Mutex
	left []string // to be removed, in the background
	busy bool
	done sync.WaitGroup
}

// clearTime is how long the end of a command waits for its directory to go.
const clearTime = 250 * time.Millisecond

func newClearing(log *slog.Logger) *clearing {
	ctx, stop := context.WithCancel(context.Background())
	return &clearing{ctx: ctx, stop: stop, log: log}
}

// remove removes a tree, or sees to it that it will be. An error says that it
// cannot be removed.
func (c *clearing) remove(path string) error { return c.removeWithin(clearTime, path) }

// removeWithin is remove for a caller who waits that long.
func (c *clearing) removeWithin(d time.Duration, path string) error {
	ctx, cancel := context.WithTimeout(c.ctx, d)
	defer cancel()
	err := removeTree(ctx, path)
	if err == nil || ctx.Err() == nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		return nil
	}
	c.left = append(c.left, path)
	if !c.busy {
		c.busy = true
		c.done.Go(c.work)
	}
	return nil
}

// work removes what is left until nothing is.
func (c *clearing) work() {
	for {
		c.mu.Lock()
		if len(c.left) == 0 || c.ctx.Err() != nil {
			c.busy = false
			c.mu.Unlock()
			return
		}
		path := c.left[0]
		c.left = c.left[1:]
		c.mu.Unlock()
		if err := removeTree(c.ctx, path); err != nil && c.ctx.Err() == nil {
			c.log.Warn("a command's directory could not be removed", "dir", path, "error", err)
		}
	}
}

// close ends the work in the background.
func (c *clearing) close() {
	c.stop()
	c.done.Wait()
}

// removeTree removes a directory and everything in it, also what was made
// unreadable, until ctx ends. It never follows a symbolic link out of it.
func removeTree(ctx context.Context, path string) error {
	if os.Remove(path) == nil {
		return nil
	}
	parent, err := os.OpenRoot(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer parent.Close()
	r := treeRemover{ctx: ctx, top: parent, base: filepath.Base(path)}
	return r.remove(parent, r.base, nil)
}

// treeRemover removes one tree.
type treeRemover struct {
	ctx  context.Context
	top  *os.Root // that of the folder in which the tree is
	base string   // the tree's name there
}

// maxDepth is how many folders one in the other are held open. What lies deeper is
// moved up first.
const maxDepth = 64

// remove removes what has a name in a folder, to which the names in above lead from
// top.
func (r *treeRemover) remove(in *os.Root, name string, above []string) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	err := in.Remove(name)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	st, serr := in.Lstat(name)
	if serr != nil || !st.IsDir() {
		return err
	}
	if len(above) >= maxDepth {
		from := filepath.Join(append(append([]string{}, above...), name)...)
		return r.top.Rename(from, filepath.Join(r.base, "up-"+rand.Text()))
	}
	if st.Mode().Perm()&0o700 != 0o700 {
		_ = in.Chmod(name, 0o700)
	}
	dir, err := in.OpenRoot(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := r.empty(dir, append(above, name)); err != nil {
		return err
	}
	return in.Remove(name)
}

// empty removes what is in a folder, pass by pass: what is removed, and what is
// moved up, may make a pass miss something.
func (r *treeRemover) empty(dir *os.Root, above []string) error {
	for {
		n, err := r.pass(dir, above)
		if err != nil || n == 0 {
			return err
		}
	}
}

// pass removes what one reading of a folder shows, and counts it. It goes on where
// something cannot be removed and returns the first such error.
func (r *treeRemover) pass(dir *os.Root, above []string) (n int, first error) {
	list, err := dir.Open(".")
	if err != nil {
		return 0, err
	}
	defer list.Close()
	for {
		entries, _ := list.ReadDir(1024)
		if len(entries) == 0 {
			return n, first
		}
		for _, e := range entries {
			err := r.remove(dir, e.Name(), above)
			switch {
			case r.ctx.Err() != nil:
				return n, r.ctx.Err()
			case err != nil && first == nil:
				first = err
			}
			n++
		}
	}
}
