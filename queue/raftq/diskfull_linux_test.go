package raftq

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/testlength"
)

func mountTmpfs(t *testing.T, size int) string {
	t.Helper()
	needMounts(t)
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Skipf("SKIPPED, NOT PASSED: tmpfs can not be mounted: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// tightFree is the MinFree of openTight.
const tightFree = 160 << 20

func openTight(t *testing.T, dir string) *queue.Queue {
	t.Helper()
	lg := slog.New(slog.DiscardHandler)
	q, l, err := OpenQueue(queue.Options{Dir: dir, Logger: lg, MaxSize: 100_000_000, TableSize: 2 << 20, MinFree: tightFree, Ballast: 8 << 20},
		Options{ID: "n1", Logger: lg, SnapshotBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.WaitLeader(t.Context()); err != nil {
		t.Fatal(err)
	}
	return q
}

// TestDiskFull lets submits fill what is left of a disk until they are
// refused, and then somebody else fill it to the last byte, several times.
// Nothing may crash, and when there is space again it goes on and all is there.
func TestDiskFull(t *testing.T) {
	dir := mountTmpfs(t, 512<<20)
	q := openTight(t, dir)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var run sync.WaitGroup
	run.Go(func() { _ = q.Run(ctx) })
	ids := map[task.ID]bool{}
	submit := func() error {
		list := noisy(50, 0)
		for i := range list {
			list[i].Key = ""
		}
		r, err := q.Submit("me", list).Wait(ctx)
		for _, x := range r.Tasks {
			ids[x.ID] = true
		}
		return err
	}
	for i := range testlength.Of(2, 5, 30) {
		other, filler := filepath.Join(dir, "other"), filepath.Join(dir, "filler")
		leave(t, other, 200<<20)
		for {
			err := submit()
			if err == nil {
				continue
			}
			if task.KindOf(err) != task.KindDisk || task.HintOf(err) == "" {
				t.Fatalf("refused, but so: %v", err)
			}
			break
		}
		for f := newFiller(t, filler, q); f.more(); { // it goes on while the disk fills up
			_ = submit()
		}
		if err := submit(); task.KindOf(err) != task.KindDisk {
			t.Fatalf("a full disk, and a submit gives %v", err)
		}
		for _, f := range []string{other, filler} {
			if err := os.Remove(f); err != nil {
				t.Fatal(err)
			}
		}
		drainSome(t, q, ids)
		if err := submit(); err != nil {
			t.Fatalf("there is space again, but: %v", err)
		}
		t.Logf("loop %d: %d tasks", i, len(ids))
	}
	hash := q.Hash()
	stop()
	run.Wait()
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = openTight(t, dir)
	defer q.Close()
	if q.Hash() != hash {
		t.Fatal("something is missing")
	}
	for id := range ids {
		if id%64 != 0 {
			continue // the hash has said it of all
		}
		if _, err := q.Get(id); err != nil {
			t.Fatal(err)
		}
	}
}

// free is how many bytes are left on the disk.
func (f *filler) free() int64 {
	var st syscall.Statfs_t
	if err := syscall.Fstatfs(int(f.f.Fd()), &st); err != nil {
		f.t.Fatal(err)
	}
	return int64(st.Bavail) * int64(st.Bsize) //nolint:unconvert // narrower on 32-bit processors
}

// leave writes a file so that only so much is free.
func leave(t *testing.T, path string, free int64) {
	t.Helper()
	var st syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(path), &st); err != nil {
		t.Fatal(err)
	}
	n := int64(st.Bavail)*int64(st.Bsize) - free //nolint:unconvert // narrower on 32-bit processors
	if err := os.WriteFile(path, make([]byte, max(n, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// drainSome runs and removes tasks, so that there is space again.
func drainSome(t *testing.T, q *queue.Queue, ids map[task.ID]bool) {
	t.Helper()
	for range 60 {
		c := q.Classes()
		if len(c) == 0 {
			return
		}
		items := q.Take(c[0].ID, 200)
		var g []queue.Grant
		var o []queue.Outcome
		var done []task.ID
		for _, it := range items {
			g = append(g, queue.Grant{ID: it.ID, Fence: it.Fence})
			o = append(o, queue.Outcome{ID: it.ID, Fence: it.Fence, Exit: task.Exit{Reason: task.ReasonExit}})
			done = append(done, it.ID)
		}
		if _, err := q.Grant("w", g).Wait(t.Context()); err != nil {
			q.Untake(done...)
			return
		}
		if _, err := q.Record(o).Wait(t.Context()); err != nil {
			return
		}
		if _, err := q.Purge(done).Wait(t.Context()); err != nil {
			return
		}
		for _, id := range done {
			if _, err := q.Get(id); task.KindOf(err) == task.KindNotFound {
				delete(ids, id)
			}
		}
	}
}

// filler fills a disk to the last byte, a MiB each time it is asked and at most
// 125 MiB/s. In the last
// three quarters of MinFree it lets a compaction that has begun end: a disk that
// somebody fills faster kills the process; see queue/DESIGN.md.
type filler struct {
	t    *testing.T
	q    *queue.Queue
	f    *os.File
	size int
	pace *time.Ticker
}

func newFiller(t *testing.T, path string, q *queue.Queue) *filler {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	return &filler{t: t, q: q, f: f, size: 1 << 20, pace: time.NewTicker(8 * time.Millisecond)}
}

// more writes on, and reports whether there is space left. At the end it closes
// the file, which else would keep its space when it is removed.
func (f *filler) more() bool {
	<-f.pace.C
	for deadline := time.Now().Add(time.Minute); f.free() < tightFree*3/4 && !f.q.Quiet(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatal("the stores do not stop compacting")
		}
	}
	if _, err := f.f.Write(make([]byte, f.size)); err != nil {
		f.size /= 4
	}
	if f.size >= 4096 {
		return true
	}
	f.pace.Stop()
	f.f.Close()
	return false
}
