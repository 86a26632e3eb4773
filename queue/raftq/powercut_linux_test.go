package raftq

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/queuetest"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/testlength"
)

// The rig: a child writes to a queue on a loop-mounted ext4 and prints what
// was acknowledged; at some moment it is stopped and the image is copied,
// which holds what the kernel has sent to the "disk" by then and nothing that
// it only keeps in memory. The copy is mounted and opened.

func sh(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// needMounts skips loudly where file systems can not be mounted.
func needMounts(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED, NOT PASSED: mounting a file system needs root")
	}
	if _, err := exec.LookPath("mkfs.ext4"); err != nil {
		t.Skip("SKIPPED, NOT PASSED: there is no mkfs.ext4 here")
	}
}

func mountImage(t *testing.T, image, at string) {
	t.Helper()
	if err := os.MkdirAll(at, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := sh("mount", "-o", "loop", image, at); err != nil {
		t.Skipf("SKIPPED, NOT PASSED: a loop device can not be mounted: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(at, syscall.MNT_DETACH) })
}

// acked is what the child said was acknowledged: a number is a submit, "d"
// and a number a recorded task.
type acked struct {
	submitted, done []task.ID
}

func (a *acked) add(line string) {
	var id task.ID
	if _, err := fmt.Sscanf(line, "s %d", &id); err == nil {
		a.submitted = append(a.submitted, id)
	}
	if _, err := fmt.Sscanf(line, "d %d", &id); err == nil {
		a.done = append(a.done, id)
	}
}

func TestPowerCut(t *testing.T) {
	if queuetest.Playing() == "writer" {
		playWriter(t)
		return
	}
	needMounts(t)
	cuts := testlength.Of(3, 10, 200)
	lost := 0
	for i := range cuts {
		lost += powerCut(t, i)
	}
	switch {
	case planted("no-sync") && lost == 0:
		t.Error("nothing was lost although the stores do not sync: this rig finds nothing")
	case !planted("no-sync") && lost > 0:
		t.Errorf("%d acknowledged changes were lost", lost)
	}
}

// planted reports whether the build has planted bugs and this one is on.
func planted(bug string) bool {
	return strings.Contains(os.Getenv("OCTASKLY_BUGS"), bug)
}

// powerCut does one cut and counts what is missing; a refusal to open counts
// as one.
func powerCut(t *testing.T, i int) int {
	dir := t.TempDir()
	img, cut := filepath.Join(dir, "disk.img"), filepath.Join(dir, "cut.img")
	if err := os.WriteFile(img, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(img, 512<<20); err != nil {
		t.Fatal(err)
	}
	if err := sh("mkfs.ext4", "-q", "-F", img); err != nil {
		t.Fatal(err)
	}
	mountImage(t, img, filepath.Join(dir, "a"))
	p := queuetest.Child(t, "writer", "OCTASKLY_DIR="+filepath.Join(dir, "a", "q"))
	// The moment is one of the writer, not of a clock: after a time of which a busy
	// machine makes nothing, there would be nothing to lose.
	var a acked
	stuck := time.After(2 * time.Minute)
	for enough := 20 + rand.IntN(6000); len(a.submitted) < enough; {
		select {
		case line, ok := <-p.Lines():
			if !ok {
				t.Fatal("the writer ended")
			}
			a.add(line)
		case <-stuck:
			t.Fatalf("only %d acknowledgements in two minutes", len(a.submitted))
		}
	}
	// What the child has printed by now was acknowledged before the copy.
	if err := syscall.Kill(p.Pid(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for drained := false; !drained; {
		select {
		case line := <-p.Lines():
			a.add(line)
		default:
			drained = true
		}
	}
	if err := sh("cp", "--sparse=always", img, cut); err != nil {
		t.Fatal(err)
	}
	p.Kill()
	_ = syscall.Unmount(filepath.Join(dir, "a"), 0)
	mountImage(t, cut, filepath.Join(dir, "b"))
	missing := countMissing(t, filepath.Join(dir, "b", "q"), &a)
	t.Logf("cut %d: %d submits and %d results acknowledged, %d missing", i, len(a.submitted), len(a.done), missing)
	_ = syscall.Unmount(filepath.Join(dir, "b"), 0)
	_ = os.Remove(img)
	_ = os.Remove(cut)
	return missing
}

func countMissing(t *testing.T, dir string, a *acked) (missing int) {
	q, l, err := tryOpen(dir)
	if err != nil {
		t.Logf("not opened: %v", err)
		return 1
	}
	defer q.Close()
	if _, err := l.WaitLeader(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, id := range a.submitted {
		if _, err := q.Get(id); err != nil {
			missing++
		}
	}
	for _, id := range a.done {
		if x, err := q.Get(id); err != nil || x.State != task.Done {
			missing++
		}
	}
	return missing
}

// playWriter submits, grants and records without end, and prints what was
// acknowledged.
func playWriter(t *testing.T) {
	q, l, err := OpenQueue(queue.Options{Dir: os.Getenv("OCTASKLY_DIR"), Logger: slog.New(slog.DiscardHandler), MinFree: -1},
		Options{ID: "n1", SnapshotBytes: 4 << 20, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.WaitLeader(t.Context()); err != nil {
		t.Fatal(err)
	}
	window := make(chan struct{}, 8)
	for i := 0; ; i++ {
		window <- struct{}{}
		q.Submit("me", noisy(20, i*20)).Then(func(r queue.SubmitReply, err error) {
			if err == nil {
				var b strings.Builder
				for _, x := range r.Tasks {
					fmt.Fprintf(&b, "s %d\n", x.ID)
				}
				_, _ = io.WriteString(os.Stdout, b.String())
			}
			<-window
		})
		c := q.Classes()
		if len(c) == 0 {
			continue
		}
		items := q.Take(c[0].ID, 15)
		var g []queue.Grant
		var o []queue.Outcome
		for _, it := range items {
			g = append(g, queue.Grant{ID: it.ID, Fence: it.Fence})
			o = append(o, queue.Outcome{ID: it.ID, Fence: it.Fence, Exit: task.Exit{Reason: task.ReasonExit}, Output: task.Output{Inline: noise(200)}})
		}
		q.Grant("w", g)
		q.Record(o).Then(func(r []queue.RecordReply, err error) {
			if err == nil {
				var b strings.Builder
				for i := range r {
					fmt.Fprintf(&b, "d %d\n", o[i].ID)
				}
				_, _ = io.WriteString(os.Stdout, b.String())
			}
		})
	}
}
