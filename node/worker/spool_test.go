package worker

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// spooled saves one result in a new spool and returns the node's directory and
// the file.
func spooled(t *testing.T) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	s, left, err := openSpool(dir, 1<<20, slog.New(slog.DiscardHandler))
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
	_, left, err := openSpool(dir, 1<<20, slog.New(slog.DiscardHandler))
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
		_, left, err := openSpool(dir, 1<<20, slog.New(slog.DiscardHandler))
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
	if _, left, err := openSpool(dir, 1<<20, slog.New(slog.DiscardHandler)); err != nil || len(left) != 1 {
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
	s, _, err := openSpool(dir, 1<<20, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	a := &attempt{Lease: wire.Lease{ID: 7, Fence: task.Fence{Term: 3, Attempt: 2}}}
	a.result = wire.Result{Lease: a.Lease, Output: task.Output{Length: 100}}
	if err := s.save(a, a.result); err != nil {
		t.Fatal(err)
	}
	if _, left, err := openSpool(dir, 1<<20, slog.New(slog.DiscardHandler)); err != nil || len(left) != 0 {
		t.Errorf("%d results: %v", len(left), err)
	}
}

// The term that was obeyed never becomes lower: one damaged file is mended from
// the other, and without a good one the spool is refused.
func TestSpoolTerm(t *testing.T) {
	dir := t.TempDir()
	var said bytes.Buffer
	open := func() (*spool, error) {
		said.Reset()
		s, _, err := openSpool(dir, 1<<20, slog.New(slog.NewTextHandler(&said, nil)))
		return s, err
	}
	s, err := open()
	if err != nil || s.term != 0 {
		t.Fatal(err)
	}
	if err := s.saveTerm(41); err != nil {
		t.Fatal(err)
	}
	if s, err = open(); err != nil || s.term != 41 || said.Len() > 0 {
		t.Fatalf("term %v: %v, said %q", s, err, &said)
	}
	whole := formatTerm(41)
	broken := [][]byte{nil, []byte("7\n"), []byte("x"), formatTerm(7)[:5]}
	for n := range whole {
		b := bytes.Clone(whole)
		b[n] ^= 1
		broken = append(broken, whole[:n], b)
	}
	put := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(s.dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range broken {
		for i, name := range termFiles {
			put(name, b)
			got, err := open()
			if err != nil || got.term != 41 || !strings.Contains(said.String(), "WARN") {
				t.Fatalf("%s is %q: %v, said %q", name, b, err, &said)
			}
			if again, err := os.ReadFile(filepath.Join(s.dir, termFiles[i])); err != nil || !bytes.Equal(again, whole) {
				t.Fatalf("%s was %q and is %q: %v", name, b, again, err)
			}
		}
		put(termFiles[0], b)
		put(termFiles[1], b)
		if _, err := open(); task.KindOf(err) != task.KindCorrupt || task.HintOf(err) == "" {
			t.Fatalf("both are %q: %v", b, err)
		}
		put(termFiles[0], whole)
		put(termFiles[1], whole)
	}
}

// A result of a later term says that this term was obeyed.
func TestSpoolTermOfItsResults(t *testing.T) {
	dir, _ := spooled(t)
	s, _, err := openSpool(dir, 1<<20, slog.New(slog.DiscardHandler))
	if err != nil || s.term != 3 {
		t.Fatalf("%+v: %v", s, err)
	}
}

// A result that could not be saved is not taken for saved: it is tried again.
func TestSaveIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, err := New(Options{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler), Clock: func() time.Duration { return 0 }})
		if err != nil {
			t.Fatal(err)
		}
		a := &attempt{Lease: wire.Lease{ID: 7, Fence: task.Fence{Term: 3, Attempt: 2}}, w: w, state: ended, ended: time.Now(), delivered: true}
		a.result.Lease = a.Lease
		w.attempts[a.Lease] = a
		if err := os.RemoveAll(w.spool.dir); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * unackedAfter) // virtual
		w.saveUnacked()
		if a.onDisk {
			t.Fatal("it counts as saved")
		}
		if err := os.MkdirAll(w.spool.dir, 0o700); err != nil {
			t.Fatal(err)
		}
		w.saveUnacked()
		if a.onDisk {
			t.Fatal("tried again at once")
		}
		time.Sleep(2 * saveAgain)
		w.saveUnacked()
		if _, err := os.Stat(w.spool.path(a.Lease, ".res")); err != nil || !a.onDisk {
			t.Fatalf("not saved: %v", err)
		}
	})
}
