package exec

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// thicket makes a tree that is not easy to remove and returns a file beside it that
// must stay.
func thicket(t *testing.T, dir string) (precious string) {
	t.Helper()
	precious = filepath.Join(dir, "precious")
	tree := filepath.Join(dir, "tree")
	err := errors.Join(os.WriteFile(precious, nil, 0o600), os.MkdirAll(filepath.Join(tree, "a", "b"), 0o700),
		os.Symlink(dir, filepath.Join(tree, "up")), os.WriteFile(filepath.Join(tree, "a", "b", "line\nbreak"), nil, 0),
		os.Chmod(filepath.Join(tree, "a", "b"), 0), os.Chmod(filepath.Join(tree, "a"), 0o100))
	at, oerr := os.OpenRoot(tree)
	err = errors.Join(err, oerr)
	for i := range 300 { // 300 times 200 bytes are more than a path may have
		name := fmt.Sprint(i) + strings.Repeat("x", 200)
		err = errors.Join(err, at.Mkdir(name, 0o700))
		next, oerr := at.OpenRoot(name)
		if err = errors.Join(err, oerr); err != nil {
			t.Fatal(err)
		}
		at.Close()
		at = next
	}
	at.Close()
	return precious
}

func TestRemoveTree(t *testing.T) {
	dir := t.TempDir()
	precious := thicket(t, dir)
	if err := removeTree(t.Context(), filepath.Join(dir, "tree")); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 || entries[0].Name() != filepath.Base(precious) {
		t.Errorf("left are %v, %v", entries, err)
	}
	for _, gone := range []string{"tree", "no/such"} {
		if err := removeTree(t.Context(), filepath.Join(dir, gone)); err != nil {
			t.Errorf("%s, which is not there: %v", gone, err)
		}
	}
}

func TestRemoveTreeStops(t *testing.T) {
	dir := t.TempDir()
	thicket(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := removeTree(ctx, filepath.Join(dir, "tree")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := removeTree(t.Context(), filepath.Join(dir, "tree")); err != nil {
		t.Error(err)
	}
}

// What takes too long is removed in the background; closing ends that.
func TestClearingGoesOnInTheBackground(t *testing.T) {
	dir := t.TempDir()
	thicket(t, dir)
	c := testClearing(t)
	gone := func() bool {
		_, err := os.Lstat(filepath.Join(dir, "tree"))
		return errors.Is(err, os.ErrNotExist)
	}
	c.mu.Lock()
	c.left = []string{filepath.Join(dir, "tree")}
	c.busy = true
	c.mu.Unlock()
	c.done.Go(c.work)
	c.done.Wait()
	if !gone() {
		t.Error("it is still there")
	}
	c.close()
	thicket(t, dir)
	if err := c.remove(filepath.Join(dir, "tree")); err != nil || gone() {
		t.Errorf("a closed one said %v and removed: %v", err, gone())
	}
	if err := removeTree(t.Context(), filepath.Join(dir, "tree")); err != nil {
		t.Error(err)
	}
}
