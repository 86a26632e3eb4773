package exec

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestKeepLeavesTheDirectory(t *testing.T) {
	res, _ := do(t, Spec{Shell: "echo kept > f", Keep: true})
	defer os.RemoveAll(filepath.Dir(res.Dir))
	if b, err := os.ReadFile(filepath.Join(res.Dir, "f")); err != nil || string(b) != "kept\n" {
		t.Fatalf("%q, %v", b, err)
	}
}

func TestUntouchedDirectoriesAreReusedOthersNot(t *testing.T) {
	d, err := newWorkDirs(t.TempDir(), testClearing(t))
	if err != nil {
		t.Fatal(err)
	}
	w := agedDir(t, d)
	if err := d.put(w, true); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(d.free, func(f workDir) bool { return f.path == w.path }) {
		t.Fatalf("an untouched directory was not kept")
	}
	for name, touch := range map[string]func(string) error{
		"file":  func(p string) error { return os.WriteFile(p+"/x", nil, 0o600) },
		"chmod": func(p string) error { return os.Chmod(p, 0o711) },
		"gone":  os.Remove,
		"home":  func(p string) error { return os.WriteFile(p+"/../x", nil, 0o600) },
		"temp":  func(p string) error { return os.Mkdir(p+"/../tmp/x", 0o700) },
		"link":  func(p string) error { return errors.Join(os.Remove(p), os.Symlink("/tmp", p)) },
		"swap":  func(p string) error { return errors.Join(os.Rename(p, p+"x"), os.Mkdir(p, 0o700)) },
	} {
		w := agedDir(t, d)
		if err := touch(w.work()); err != nil {
			t.Fatal(name, err)
		}
		if err := d.put(w, true); err != nil {
			t.Fatal(name, err)
		}
		for _, f := range d.free {
			if f.path == w.path {
				t.Errorf("%s: the directory is to be reused", name)
			}
		}
	}
}

// agedDir takes directories in turn until one is old enough to be reused.
func agedDir(t *testing.T, d *workDirs) workDir {
	t.Helper()
	for {
		w, err := d.get()
		if err != nil {
			t.Fatal(err)
		}
		if w.aged {
			return w
		}
		if err := d.put(w, true); err != nil {
			t.Fatal(err)
		}
	}
}

// Short commands one after the other once had every directory removed and made
// again, for each came back before it was old enough.
func TestManyShortCommandsReuseDirectories(t *testing.T) {
	d, err := newWorkDirs(t.TempDir(), testClearing(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.put(agedDir(t, d), true); err != nil {
		t.Fatal(err)
	}
	made, reused := d.next.Load(), 0
	for range 1000 {
		w, err := d.get()
		if err != nil {
			t.Fatal(err)
		}
		if w.aged {
			reused++
		}
		if err := d.put(w, true); err != nil {
			t.Fatal(err)
		}
	}
	if reused < 500 {
		t.Errorf("of 1000 directories %d were reused and %d made", reused, d.next.Load()-made)
	}
}

func testClearing(t *testing.T) *clearing {
	c := newClearing(slog.New(slog.DiscardHandler))
	t.Cleanup(c.close)
	return c
}
