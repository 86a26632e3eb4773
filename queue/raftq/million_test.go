package raftq

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/queuetest"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/testlength"
)

// onDisk is what the files of a directory take on the disk, and their count
// by ending.
func onDisk(t testing.TB, dir string) (bytes int64, longest map[string]int64) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	longest = map[string]int64{}
	for _, e := range list {
		fi, err := e.Info()
		if err != nil {
			continue // deleted meanwhile
		}
		bytes += allocated(fi)
		ext := filepath.Ext(e.Name())
		longest[ext] = max(longest[ext], used(t, filepath.Join(dir, e.Name())))
	}
	return bytes, longest
}

// TestManyOperations runs tasks through a queue, kills it, and looks at what
// is left: the raft log is short, the value logs are empty, and the state is
// the same after a restart.
func TestManyOperations(t *testing.T) {
	if queuetest.Playing() != "" {
		q := openAt(t, os.Getenv("OCTASKLY_DIR"))
		n := 0
		_, _ = fmt.Sscan(os.Getenv("OCTASKLY_N"), &n)
		whole(t, q, n)
		fill(t, q, n)
		fmt.Printf("hash %d\n", q.Hash())
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	n := testlength.Of(10_000, 30_000, 500_000) // tasks, that is four operations each
	dir := t.TempDir()
	p := queuetest.Child(t, "run", "OCTASKLY_DIR="+dir, fmt.Sprint("OCTASKLY_N=", n))
	var hash uint64
	for hash == 0 {
		line, ok := p.Line()
		if !ok {
			t.Fatal("the child ended")
		}
		_, _ = fmt.Sscanf(line, "hash %d", &hash)
	}
	p.Kill()
	for _, store := range []string{"raft", "state"} {
		bytes, longest := onDisk(t, filepath.Join(dir, store))
		t.Logf("%s: %d MiB on disk", store, bytes>>20)
		if longest[".vlog"] > 20 { // its header
			t.Errorf("the value log of %s is used: %d bytes", store, longest[".vlog"])
		}
		if store == "raft" && bytes > 64<<20 {
			t.Errorf("the raft log takes %d MiB", bytes>>20)
		}
	}
	start := time.Now()
	q := openAt(t, dir)
	t.Logf("serving again after %v, with %d tasks waiting", time.Since(start).Round(time.Millisecond), q.ReadyCount())
	defer q.Close()
	if q.Hash() != hash {
		t.Fatal("the state is another after kill -9")
	}
	if got := q.ReadyCount(); got != n {
		t.Fatalf("%d tasks wait, not %d", got, n)
	}
	// The largest task that is let in stays out of the value log as well.
	big := task.NewTask{}
	big.Spec.Shell = string(noise(256 << 10))
	big.Spec.Stdin = noise(64 << 10)
	must(t, q.Submit("me", []task.NewTask{big}))
	for _, store := range []string{"raft", "state"} {
		if _, longest := onDisk(t, filepath.Join(dir, store)); longest[".vlog"] > 20 {
			t.Errorf("a large task went into the value log of %s", store)
		}
	}
}
