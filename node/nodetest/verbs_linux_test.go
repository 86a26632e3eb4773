package nodetest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/testlength"
)

// TestEndsOfRun: what a person sees at the command line when a task ends in
// another way than by itself.
func TestEndsOfRun(t *testing.T) {
	u := newUser(t)
	if _, errs, code := u.run("run", "true"); code != 125 || strings.Count(errs, "octaskly") < 3 {
		t.Errorf("without a dispatcher: code %d, %q", code, errs)
	}
	u.start("dispatcher", "dispatcher", "--api", "off", "--sandbox-level", "none")
	_, end := u.control()
	end()
	for _, tc := range []struct {
		args []string
		code int
	}{
		{[]string{"run", "exit 7"}, 7},
		{[]string{"run", "kill -9 $$"}, 137},
		{[]string{"run", "--timeout", "300ms", "sleep 60"}, 124},
	} {
		if _, errs, code := u.run(tc.args...); code != tc.code {
			t.Errorf("%q ends with %d, want %d: %s", tc.args, code, tc.code, errs)
		}
	}
	if _, errs, code := u.run("--headless", "dispatcher"); code == 0 || !strings.Contains(errs, "dispatches") {
		t.Errorf("a second dispatcher: code %d, %q", code, errs)
	}
	// Ctrl-C cancels the task.
	cmd := u.command("run", "sleep 1000")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	running := func() (n int) {
		for _, x := range u.tasks() {
			if x.State == task.Running {
				n++
			}
		}
		return n
	}
	await(t, "the task that runs", func() bool { return running() == 1 })
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("after Ctrl-C: code %d, %s", code, errs.String())
	}
	await(t, "the cancel", func() bool { return running() == 0 })
}

// TestPortTaken: a port that was asked for and is taken is refused in words.
func TestPortTaken(t *testing.T) {
	u := newUser(t)
	conn, err := net.ListenPacket("udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	port := strconv.Itoa(conn.LocalAddr().(*net.UDPAddr).Port)
	if _, errs, code := u.run("--headless", "dispatcher", "--api", "off", "--port", port); code != 2 || !strings.Contains(errs, port) || !strings.Contains(errs, "--port") {
		t.Errorf("code %d, %q", code, errs)
	}
	// An address of nobody, from a range for documentation.
	if _, errs, code := u.run("--headless", "dispatcher", "--api", "off", "--bind", "203.0.113.7"); code != 2 || !strings.Contains(errs, "--bind 203.0.113.7") {
		t.Errorf("code %d, %q", code, errs)
	}
}

// TestStateOfOthers: a state directory that others may read, or that is
// somebody else's, is refused by name.
func TestStateOfOthers(t *testing.T) {
	for _, own := range []bool{true, false} {
		u := newUser(t)
		dir := filepath.Join(u.dir, "node")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		err := os.Chmod(dir, 0o750)
		if !own {
			if os.Getuid() != 0 {
				t.Skip("giving a directory away needs root")
			}
			err = os.Chown(dir, 65534, 65534)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, errs, code := u.run("--headless", "dispatcher", "--api", "off", "--node-dir", dir); code != 2 || !strings.Contains(errs, dir) {
			t.Errorf("own %v: code %d, %q", own, code, errs)
		}
	}
}

// hostileTree starts a hundred processes that do not want to end: sessions of
// their own, orphans, deaf to the polite signal. Each carries a mark.
func hostileTree(mark string) string {
	return fmt.Sprintf(`i=0; while [ $i -lt 25 ]; do
(trap "" TERM INT HUP; exec sh -c 'trap "" TERM; while :; do sleep 1; done' %[1]s) &
setsid sh -c 'trap "" TERM; while :; do sleep 1; done' %[1]s &
(setsid sh -c 'sleep 1000 & exec sh -c "trap \"\" TERM; while :; do sleep 1; done" %[1]s' &)
sh -c '(sh -c "while :; do sleep 1; done" %[1]s &) ' 
i=$((i+1)); done; sleep 1000`, mark)
}

// marked counts the processes that carry a mark, from /proc.
func marked(mark string) (n int) {
	dirs, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, d := range dirs {
		b, err := os.ReadFile(d)
		if err == nil && bytes.HasSuffix(b, []byte("\x00"+mark+"\x00")) {
			n++
		}
	}
	return n
}

// TestHostileDescendants: a hundred processes that resist are gone after cancel.
func TestHostileDescendants(t *testing.T) {
	rounds := testlength.Of(1, 3, 100)
	u := newUser(t)
	u.start("dispatcher", "dispatcher", "--api", "off", "--sandbox-level", "none")
	for round := range rounds {
		mark := fmt.Sprintf("octaskly-mark-%d-%d", os.Getpid(), round)
		ids := u.submit([]control.NewTask{{Spec: task.Spec{Shell: hostileTree(mark)}}})
		await(t, "a hundred processes", func() bool { return marked(mark) >= 100 })
		if _, errs, code := u.run("cancel", "--now", ids[0].String()); code != 0 {
			t.Fatalf("cancel: code %d, %s", code, errs)
		}
		await(t, "the end of the task", func() bool { return ended(u.tasks()) == round+1 })
		if n := marked(mark); n != 0 {
			t.Errorf("round %d: %d processes survive", round, n)
		}
	}
}

// TestDiskFull: the dispatcher's data is on a small file system that fills up.
// Submits are refused in words, nothing ends, and when there is space again
// everything is there.
func TestDiskFull(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("mounting a small file system needs root")
	}
	u := newUser(t)
	dir := filepath.Join(u.dir, "small")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1200m,mode=0700"); err != nil {
		t.Skipf("a small file system cannot be mounted: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	p := u.start("dispatcher", "dispatcher", "--api", "off", "--sandbox-level", "none", "--node-dir", filepath.Join(dir, "node"))
	first := u.submit([]control.NewTask{{Spec: task.Spec{Shell: "echo before"}}})
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	fill := filepath.Join(dir, "fill")
	f, err := os.Create(fill)
	if err != nil {
		t.Fatal(err)
	}
	junk := make([]byte, 1<<20)
	for {
		if _, err := f.Write(junk); err != nil {
			break
		}
	}
	_ = f.Close()
	var errs string
	await(t, "a refusal", func() bool {
		var code int
		_, errs, code = u.run("submit", "-q", "echo full")
		return code != 0
	})
	if !strings.Contains(errs, "disk") && !strings.Contains(errs, "space") {
		t.Errorf("the refusal does not name the disk: %q", errs)
	}
	if p.cmd.Process.Signal(syscall.Signal(0)) != nil {
		t.Error("the dispatcher ended")
	}
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	await(t, "a submit after there is space", func() bool { _, _, code := u.run("submit", "-q", "echo after"); return code == 0 })
	await(t, "the end of all tasks", func() bool { all := u.tasks(); return ended(all) == len(all) })
	if all := u.tasks(); all[0].ID != first[0] || all[len(all)-1].State != task.Done {
		t.Errorf("not all is there: %d tasks", len(all))
	}
}
