package worker

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/adauldev/octaskly/exec"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

func testWorker(t testing.TB, edit func(*Options)) *Worker {
	t.Helper()
	o := Options{Dir: t.TempDir(), Boot: "b", Capacity: task.Capacity{CPU: 1000, Slots: 1, MemoryMB: 64}}
	if edit != nil {
		edit(&o)
	}
	w, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func testLease(id task.ID) wire.Lease {
	return wire.Lease{ID: id, Fence: task.Fence{Term: 1, Attempt: 1}}
}

// read is what the stream of an ended output holds.
func (o *output) read(t testing.TB) (data []byte, skipped int64) {
	t.Helper()
	b := make([]byte, o.length)
	if n, err := o.readAt(b, 0, func() bool { return false }); o.length > 0 && (err != nil || n != len(b)) {
		t.Fatalf("read %d of %d bytes: %v", n, len(b), err)
	}
	for len(b) > 0 {
		c, rest, err := wire.CutChunk(b)
		if err != nil {
			t.Fatal(err)
		}
		data, skipped, b = append(data, c.Data...), skipped+c.Skipped, rest
	}
	return data, skipped
}

// The head of an output whose disk is full is kept, and it is said that it is
// only that. All of it was lost, and the task was done.
func TestFullDiskKeepsTheHead(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /dev/full")
	}
	w := testWorker(t, nil)
	a := &attempt{Lease: testLease(1), w: w}
	if err := os.Symlink("/dev/full", w.spool.path(a.Lease, ".out")); err != nil {
		t.Fatal(err)
	}
	a.out = newOutput(w, a)
	text := []byte(strings.Repeat("0123456789", 900))
	a.out.write(exec.Stdout, text)
	a.out.write(exec.Stderr, []byte("more"))
	a.out.finish()
	got, skipped := a.out.read(t)
	s := a.out.summary()
	if len(got) < 4000 || !bytes.HasPrefix(text, got) || int64(len(got))+skipped != 9004 {
		t.Errorf("%d bytes are kept and %d said to be missing, of 9004", len(got), skipped)
	}
	if !s.Truncated || s.CutBy != "the worker's disk is full" || len(s.Inline) > task.MaxInlineOutput || s.Bytes != 9004 {
		t.Errorf("the record says %d bytes, inline %d, cut %v by %q", s.Bytes, len(s.Inline), s.Truncated, s.CutBy)
	}
	if loss := a.out.lost(); loss != "the worker's disk is full" {
		t.Errorf("lost: %q", loss)
	}
}

func TestFailedFor(t *testing.T) {
	full := "the worker's disk is full"
	for _, tc := range []struct {
		name string
		exit task.Exit
		loss string
		want task.Exit
	}{
		{"nothing lost", task.Exit{Reason: task.ReasonExit}, "", task.Exit{Reason: task.ReasonExit}},
		{"success", task.Exit{Reason: task.ReasonExit}, full, task.Exit{Reason: task.ReasonNodeLost, Message: "exit 0, but output was lost: " + full}},
		{"signal", task.Exit{Code: 139, Signal: 11, Reason: task.ReasonSignal}, full, task.Exit{Reason: task.ReasonNodeLost, Message: "output was lost: " + full}},
		{"cancelled", task.Exit{Code: 143, Reason: task.ReasonCancelled}, full, task.Exit{Code: 143, Reason: task.ReasonCancelled}},
		{"timeout", task.Exit{Code: 124, Reason: task.ReasonTimeout}, full, task.Exit{Code: 124, Reason: task.ReasonTimeout}},
	} {
		if got := failedFor(tc.exit, tc.loss); got != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

func TestOutputQuotas(t *testing.T) {
	for _, tc := range []struct {
		name  string
		edit  func(*Options)
		cutBy string
	}{
		{"of one attempt", func(o *Options) { o.OutputQuota = 64 << 10 }, ""},
		{"of the node", func(o *Options) { o.SpoolQuota = 64 << 10 }, "the worker's output quota is used up"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := testWorker(t, tc.edit)
			a := &attempt{Lease: testLease(1), w: w}
			a.out = newOutput(w, a)
			const total = 5 << 20
			for range total >> 13 {
				a.out.write(exec.Stdout, bytes.Repeat([]byte("x"), 8<<10))
			}
			a.out.finish()
			got, skipped := a.out.read(t)
			s := a.out.summary()
			if int64(len(got))+skipped != total || !s.Truncated || s.CutBy != tc.cutBy || a.out.lost() != "" {
				t.Errorf("%d bytes kept, %d skipped, cut %v by %q, lost %q", len(got), skipped, s.Truncated, s.CutBy, a.out.lost())
			}
			if len(got) < 64<<10 || len(got) > 2<<20 {
				t.Errorf("%d bytes are kept of head and end", len(got))
			}
			w.mu.Lock()
			w.spool.forget(a)
			w.mu.Unlock()
			if n := w.spool.bytes.Load(); n != 0 {
				t.Errorf("%d bytes are still counted", n)
			}
		})
	}
}

func TestEnoughSpace(t *testing.T) {
	for _, tc := range []struct {
		free, total uint64
		want        bool
	}{
		{1 << 30, 1 << 40, true},
		{minSpoolSpace, 1 << 40, true},
		{minSpoolSpace - 1, 1 << 40, false},
		{1 << 20, 8 << 20, true},
		{100 << 10, 8 << 20, false},
		{0, 0, true},
	} {
		if got := enoughSpace(tc.free, tc.total); got != tc.want {
			t.Errorf("%d free of %d: %v", tc.free, tc.total, got)
		}
	}
}

func TestLossOf(t *testing.T) {
	for want, err := range map[string]error{
		"":                                      nil,
		"the worker's disk is full":             &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC},
		"the worker could not write it: broken": errors.New("broken"),
	} {
		if got := lossOf(err); got != want {
			t.Errorf("%v is %q, want %q", err, got, want)
		}
	}
}
