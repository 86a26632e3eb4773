package raftq

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/task"
)

// rss is this process's resident memory in MiB: all, and without file pages.
func rss() (all, anon int) {
	b, _ := os.ReadFile("/proc/self/status")
	for _, l := range strings.Split(string(b), "\n") {
		_, _ = fmt.Sscanf(l, "VmRSS: %d kB", &all)
		_, _ = fmt.Sscanf(l, "RssAnon: %d kB", &anon)
	}
	return all >> 10, anon >> 10
}

func fill(b testing.TB, q *queue.Queue, n int) {
	const size = 1000
	window := make(chan struct{}, 8)
	errs := make(chan error, 1)
	for i := 0; i < n; i += size {
		window <- struct{}{}
		q.Submit("fill", batch(min(size, n-i), i)).Then(func(_ queue.SubmitReply, err error) {
			if err != nil {
				select {
				case errs <- err:
				default:
				}
			}
			<-window
		})
	}
	for range cap(window) {
		window <- struct{}{}
	}
	select {
	case err := <-errs:
		b.Fatal(err)
	default:
	}
}

// BenchmarkSubmitBulk submits in batches of 1,000 with a window of 8, each
// with a key of its own.
func BenchmarkSubmitBulk(b *testing.B) {
	q := openAt(b, b.TempDir())
	defer q.Close()
	b.ResetTimer()
	fill(b, q, b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
}

// BenchmarkSubmitOne submits one at a time, each synced before the next.
func BenchmarkSubmitOne(b *testing.B) {
	q := openAt(b, b.TempDir())
	defer q.Close()
	b.ResetTimer()
	for i := range b.N {
		must(b, q.Submit("bench", batch(1, i)))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
}

// BenchmarkWhole runs tasks through submit, grant and record, in batches of
// 256, several in flight at each step.
func BenchmarkWhole(b *testing.B) {
	q := openAt(b, b.TempDir())
	defer q.Close()
	b.ResetTimer()
	whole(b, q, b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
}

func whole(b testing.TB, q *queue.Queue, n int) {
	const size = 256
	go func() {
		window := make(chan struct{}, 8)
		for i := 0; i < n; i += size {
			window <- struct{}{}
			q.Submit("bench", batch(min(size, n-i), i)).Then(func(queue.SubmitReply, error) { <-window })
		}
	}()
	done := make(chan int, 64)
	go func() {
		window := make(chan struct{}, 16)
		for taken := 0; taken < n; {
			items := []queue.Item(nil)
			if c := q.Classes(); len(c) > 0 {
				items = q.Take(c[0].ID, size)
			}
			if len(items) == 0 {
				<-q.Ready()
				continue
			}
			taken += len(items)
			window <- struct{}{}
			g := make([]queue.Grant, len(items))
			o := make([]queue.Outcome, len(items))
			for i, it := range items {
				g[i] = queue.Grant{ID: it.ID, Fence: it.Fence}
				o[i] = queue.Outcome{ID: it.ID, Fence: it.Fence, Node: "w1", Exit: task.Exit{Reason: task.ReasonExit}, Started: 1, Ended: 2}
			}
			q.Grant("w1", g)
			q.Record(o).Then(func(r []queue.RecordReply, _ error) {
				<-window
				done <- len(r)
			})
		}
	}()
	for k := 0; k < n; {
		k += <-done
	}
}

// BenchmarkRestart opens a queue with a million waiting tasks.
func BenchmarkRestart(b *testing.B) {
	dir := b.TempDir()
	q := openAt(b, dir)
	fill(b, q, 1_000_000)
	all, anon := rss()
	b.Logf("1 M queued: RSS %d MiB, anonymous %d MiB", all, anon)
	if err := q.Close(); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for range b.N {
		start := time.Now()
		q := openAt(b, dir)
		b.Logf("open: %v", time.Since(start))
		if q.ReadyCount() != 1_000_000 {
			b.Fatal("tasks are missing")
		}
		if err := q.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
