package raftq

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/queuetest"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/testlength"
)

// openSmall opens a queue whose stores rotate and compact after little, so
// that a small directory has files of every kind.
func openSmall(dir string) (*queue.Queue, *Log, error) {
	lg := slog.New(slog.DiscardHandler)
	return OpenQueue(queue.Options{Dir: dir, Logger: lg, MinFree: -1, TableSize: 256 << 10},
		Options{ID: "n1", Logger: lg, SnapshotBytes: 256 << 10})
}

// image is a directory as a crash left it, and what was acknowledged by then.
type image struct {
	dir  string
	hash uint64
}

// fillImage gives a small queue a past, with tasks in every state.
func fillImage(t testing.TB, dir string) *queue.Queue {
	q, l, err := openSmall(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.WaitLeader(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		must(t, q.Submit("me", noisy(50, i*50)))
		items := q.Take(q.Classes()[0].ID, 40)
		var g []queue.Grant
		var o []queue.Outcome
		for _, it := range items {
			g = append(g, queue.Grant{ID: it.ID, Fence: it.Fence})
			o = append(o, queue.Outcome{ID: it.ID, Fence: it.Fence, Exit: task.Exit{Reason: task.ReasonExit}, Output: task.Output{Inline: noise(300)}})
		}
		must(t, q.Grant("w", g))
		must(t, q.Record(o[:30]))
	}
	return q
}

// makeImage fills a queue and ends it, by closing it or by kill -9.
func makeImage(t *testing.T, closed bool) image {
	im := image{dir: t.TempDir()}
	if closed {
		q := fillImage(t, im.dir)
		im.hash = q.Hash()
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
		return im
	}
	p := queuetest.Child(t, "image", "OCTASKLY_DIR="+im.dir)
	for {
		line, ok := p.Line()
		if !ok {
			t.Fatal("the child ended too soon")
		}
		if _, err := fmt.Sscanf(line, "hash %d", &im.hash); err == nil {
			break
		}
	}
	p.Kill()
	return im
}

// playImage is the child of makeImage.
func playImage(t *testing.T) {
	q := fillImage(t, os.Getenv("OCTASKLY_DIR"))
	fmt.Printf("hash %d\n", q.Hash())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// noise does not compress.
func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

func noisy(n, from int) []task.NewTask {
	list := batch(n, from)
	for i := range list {
		list[i].Spec.Stdin = noise(100)
	}
	return list
}

// copyDir copies a directory, without the zeros at the end of its files.
func copyDir(t testing.TB, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(from, p)
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		return copyFile(p, filepath.Join(to, rel))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	end := len(b)
	for end > 0 && b[end-1] == 0 {
		end--
	}
	if err := os.WriteFile(to, b[:end], 0o600); err != nil {
		return err
	}
	return os.Truncate(to, int64(len(b)))
}

// used is the length of a file without the zeros at its end.
func used(t testing.TB, path string) int64 {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	end := len(b)
	for end > 0 && b[end-1] == 0 {
		end--
	}
	return int64(end)
}

// storeFiles are the files that damage is done to.
func storeFiles(t testing.TB, dir string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "LOCK" {
			rel, _ := filepath.Rel(dir, p)
			list = append(list, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// verdict opens a damaged copy: everything must be there, or the refusal must
// name the store.
func (im image) verdict(t *testing.T, dir, what string) (refused bool) {
	t.Helper()
	q, l, err := openSmall(dir)
	if err != nil {
		if task.KindOf(err) != task.KindCorrupt || !strings.Contains(err.Error(), "store in "+dir) {
			t.Errorf("%s: refused, but so: %v", what, err)
		}
		return true
	}
	defer q.Close()
	if _, err := l.WaitLeader(t.Context()); err != nil {
		t.Errorf("%s: %v", what, err)
		return false
	}
	if q.Hash() != im.hash {
		t.Errorf("%s: opened without a word, and something is missing: %v", what, q.Counts())
	}
	return false
}

func eachImage(t *testing.T, f func(t *testing.T, im image)) {
	if queuetest.Playing() == "image" {
		playImage(t)
		return
	}
	for name, closed := range map[string]bool{"afterClose": true, "afterCrash": false} {
		t.Run(name, func(t *testing.T) {
			im := makeImage(t, closed)
			if im.verdict(t, clone(t, im), "not damaged") {
				t.Fatal("an undamaged store was refused")
			}
			f(t, im)
		})
	}
}

func clone(t *testing.T, im image) string {
	dir, err := os.MkdirTemp(t.TempDir(), "c")
	if err != nil {
		t.Fatal(err)
	}
	copyDir(t, im.dir, dir)
	return dir
}

// damage does something to one file of a copy and looks at what happens.
func (im image) damage(t *testing.T, file, what string, do func(path string) error) bool {
	t.Helper()
	dir := clone(t, im)
	defer os.RemoveAll(dir)
	if err := do(filepath.Join(dir, file)); err != nil {
		t.Fatal(err)
	}
	return im.verdict(t, dir, file+" "+what)
}

func flip(path string, at int64, bit byte) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	b[0] ^= bit
	_, err = f.WriteAt(b, at)
	return err
}

// TestFlippedBits flips one bit at random places of every file.
func TestFlippedBits(t *testing.T) {
	rounds := testlength.Of(30, 100, 2500) // of each image
	eachImage(t, func(t *testing.T, im image) {
		files := storeFiles(t, im.dir)
		refused := 0
		seed := uint64(rounds)
		r := rand.New(rand.NewPCG(seed, 1))
		for i := range rounds {
			file := files[i%len(files)]
			n := used(t, filepath.Join(im.dir, file))
			if n == 0 {
				continue
			}
			at, bit := r.Int64N(n), byte(1)<<r.IntN(8)
			if im.damage(t, file, fmt.Sprintf("bit %x of byte %d of %d", bit, at, n), func(p string) error { return flip(p, at, bit) }) {
				refused++
			}
		}
		t.Logf("%d files, %d flips, %d refused", len(files), rounds, refused)
	})
}

// TestTruncatedFiles cuts every file at places near its end.
func TestTruncatedFiles(t *testing.T) {
	rounds := testlength.Of(32, 128, 4096) // of each image
	eachImage(t, func(t *testing.T, im image) {
		files := storeFiles(t, im.dir)
		refused := 0
		for i := range rounds {
			file := files[i%len(files)]
			n := used(t, filepath.Join(im.dir, file))
			at := max(0, n-1-int64(i)*4096/int64(rounds))
			if im.damage(t, file, fmt.Sprintf("cut at %d of %d", at, n), func(p string) error { return os.Truncate(p, at) }) {
				refused++
			}
		}
		t.Logf("%d files, %d cuts, %d refused", len(files), rounds, refused)
	})
}

// TestKilledBeforeMemtable: a process that is killed while Badger begins a memory
// table leaves an empty file, which is no damage.
func TestKilledBeforeMemtable(t *testing.T) {
	eachImage(t, func(t *testing.T, im image) {
		for _, store := range []string{"state", "raft"} {
			name := filepath.Join(store, "00099.mem")
			refused := im.damage(t, name, "created, still empty", func(path string) error {
				return os.WriteFile(path, nil, 0o600)
			})
			if refused {
				t.Errorf("a %s store with a memory table that was only just created is refused", store)
			}
		}
	})
}

// TestMissingFiles removes each file, and each store.
func TestMissingFiles(t *testing.T) {
	eachImage(t, func(t *testing.T, im image) {
		for _, file := range append(storeFiles(t, im.dir), "raft", "state") {
			refused := im.damage(t, file, "removed", os.RemoveAll)
			t.Logf("%-20s refused: %v", file, refused)
		}
	})
}
