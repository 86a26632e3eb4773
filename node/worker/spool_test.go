package worker

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// spooled saves one result in a new spool and returns the node's directory and
// the file.
func spooled(t *testing.T) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	s, left, err := openSpool(dir, 1<<20)
	if err != nil || len(left) != 0 {
		t.Fatal(err)
	}
	a := &attempt{Lease: wire.Lease{ID: 7, Fence: task.Fence{Term: 3, Attempt: 2}}, ended: time.UnixMilli(1_700_000_000_000)}
	a.result = wire.Result{Lease: a.Lease, RanUs: 5000, Exit: task.Exit{Code: 4, Reason: task.ReasonExit}, Output: task.Output{Inline: []byte("said"), Bytes: 4}}
	if err := s.save(a, a.result); err != nil {
		t.Fatal(err)
	}
	return dir, s.path(a.Lease, ".res")
}

func TestSpoolComesBack(t *testing.T) {
	dir, _ := spooled(t)
	_, left, err := openSpool(dir, 1<<20)
	if err != nil || len(left) != 1 {
		t.Fatalf("%d results: %v", len(left), err)
	}
	a := left[0]
	if a.ID != 7 || a.Fence != (task.Fence{Term: 3, Attempt: 2}) || a.state != ended || !a.delivered || !a.onDisk ||
		a.result.Exit.Code != 4 || string(a.result.Output.Inline) != "said" || a.ended.Sub(a.started) != 5*time.Millisecond {
		t.Errorf("it came back as %+v", a)
	}
}

// A damaged or torn result is never taken for another: it is not used, and does
// not come up again.
func TestSpoolDamaged(t *testing.T) {
	_, file := spooled(t)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	try := func(name string, b []byte) {
		dir := t.TempDir()
		at := filepath.Join(dir, "spool", filepath.Base(file))
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, left, err := openSpool(dir, 1<<20)
		if err != nil || len(left) != 0 {
			t.Errorf("%s: %d results, %v", name, len(left), err)
		}
		if _, err := os.Stat(at); err == nil {
			t.Errorf("%s: the damaged file stays", name)
		}
	}
	for n := range whole {
		try("cut", whole[:n])
		b := bytes.Clone(whole)
		b[n] ^= 0x40
		try("flipped", b)
	}
	try("longer", append(bytes.Clone(whole), 0))
}

func TestSpoolRemovesWhatHasNoResult(t *testing.T) {
	dir, file := spooled(t)
	for _, name := range []string{"9.1.1.out", "9.1.1.res.tmp", "strange"} {
		if err := os.WriteFile(filepath.Join(dir, "spool", name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, left, err := openSpool(dir, 1<<20); err != nil || len(left) != 1 {
		t.Fatalf("%d results: %v", len(left), err)
	}
	entries, _ := os.ReadDir(filepath.Join(dir, "spool"))
	if len(entries) != 1 || entries[0].Name() != filepath.Base(file) {
		t.Errorf("what is left: %v", entries)
	}
}

// The result says that there is output in a file, and the file is gone: the
// result is not used.
func TestSpoolWithoutItsOutput(t *testing.T) {
	dir := t.TempDir()
	s, _, err := openSpool(dir, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	a := &attempt{Lease: wire.Lease{ID: 7, Fence: task.Fence{Term: 3, Attempt: 2}}}
	a.result = wire.Result{Lease: a.Lease, Output: task.Output{Length: 100}}
	if err := s.save(a, a.result); err != nil {
		t.Fatal(err)
	}
	if _, left, err := openSpool(dir, 1<<20); err != nil || len(left) != 0 {
		t.Errorf("%d results: %v", len(left), err)
	}
}

func TestSpoolTerm(t *testing.T) {
	dir := t.TempDir()
	s, _, err := openSpool(dir, 1<<20)
	if err != nil || s.term != 0 {
		t.Fatal(err)
	}
	if err := s.saveTerm(41); err != nil {
		t.Fatal(err)
	}
	if s, _, err = openSpool(dir, 1<<20); err != nil || s.term != 41 {
		t.Errorf("term %d: %v", s.term, err)
	}
}
