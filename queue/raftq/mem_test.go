package raftq

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"testing"
)

// TestMemory prints what a queue of OCTASKLY_MEM waiting tasks takes, after
// OCTASKLY_MEM_RUN others have run.
func TestMemory(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("OCTASKLY_MEM"))
	if n == 0 {
		t.Skip("set OCTASKLY_MEM to a number of tasks")
	}
	q := openAt(t, t.TempDir())
	defer q.Close()
	show := func(what string) {
		all, anon := rss()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		t.Logf("%-22s RSS %d MiB, anonymous %d, heap in use %d, live at last GC about %d, sys %d", what, all, anon, m.HeapInuse>>20, m.NextGC>>21, m.Sys>>20)
	}
	show("empty")
	if w, _ := strconv.Atoi(os.Getenv("OCTASKLY_MEM_RUN")); w > 0 {
		whole(t, q, w)
		show("after tasks that ran")
	}
	fill(t, q, n)
	show("filled")
	runtime.GC()
	show("after a GC")
	debug.FreeOSMemory()
	show("memory given back")
	if f, err := os.Create("/tmp/qheap.pprof"); err == nil {
		_ = pprof.WriteHeapProfile(f)
		_ = f.Close()
	}
}
