package exec

import (
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// publicDir is a directory that every command may write in.
func publicDir(t *testing.T, pattern string) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", pattern)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestAGivenDirectoryIsNotExchanged: whoever may write above a directory that is
// given can put a link in its way, after it was looked at and before it is opened.
func TestAGivenDirectoryIsNotExchanged(t *testing.T) {
	needLevels(t, Basic)
	top := publicDir(t, "octaskly-exchange-")
	r := testRunner(t)
	secret := filepath.Join(r.levels[Basic].dirs.root, "secret-of-another")
	if err := os.MkdirAll(secret, 0o755); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(secret)
	if err := os.WriteFile(filepath.Join(secret, "key"), []byte("KEY"), 0o644); err != nil {
		t.Fatal(err)
	}
	given := filepath.Join(top, "a", filepath.Base(secret))
	if err := os.MkdirAll(given, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Dir(secret), filepath.Join(top, "b")); err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_ = unix.Renameat2(unix.AT_FDCWD, filepath.Join(top, "a"), unix.AT_FDCWD, filepath.Join(top, "b"), unix.RENAME_EXCHANGE)
				runtime.Gosched()
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	for l := Basic; l.Valid(); l++ {
		if !haveLevel(t, l) {
			continue
		}
		for range 40 {
			var out strings.Builder
			run, err := r.Start(t.Context(), Spec{
				Shell: "cat " + secret + "/key ./key 2>/dev/null", Dir: given, Level: l,
				Output: func(s Stream, p []byte) { out.Write(p) },
			})
			if err != nil {
				continue
			}
			run.Wait()
			if strings.Contains(out.String(), "KEY") {
				t.Errorf("%s: a command read what is protected", l)
				break
			}
		}
	}
}

// TestUnnamedFilesElsewhereCount: in a directory given that is on another file system.
func TestUnnamedFilesElsewhereCount(t *testing.T) {
	needLevels(t, Basic)
	dir, err := os.MkdirTemp("/dev/shm", "octaskly-given-")
	if err != nil {
		t.Skip(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	py := `exec /usr/bin/python3 -c "
import os, time
fs = []
for i in range(60):
    f = open('f', 'wb'); os.unlink('f'); f.write(bytes(900000)); f.flush(); fs.append(f)
time.sleep(5)"`
	res, _ := do(t, Spec{Shell: py, Dir: dir, Limits: Limits{DiskBytes: 1 << 20}, Level: Basic, Timeout: time.Minute})
	if res.Reason != ReasonLimitDisk {
		t.Errorf("%+v", res)
	}
}

// TestNoSharedMemoryIsLeft looks at the memory segments of System V, which live on.
// Basic made of Landlock does not promise it.
func TestNoSharedMemoryIsLeft(t *testing.T) {
	for l := Basic; l.Valid(); l++ {
		if !haveLevel(t, l) || l == Basic && !testRunner(t).levels[l].caged {
			continue
		}
		before, err := os.ReadFile("/proc/sysvipc/shm")
		if err != nil {
			t.Skip(err)
		}
		do(t, Spec{Shell: "ipcmk -M 1048576 >/dev/null 2>&1; :", Level: l})
		after, _ := os.ReadFile("/proc/sysvipc/shm")
		if n := strings.Count(string(after), "\n") - strings.Count(string(before), "\n"); n != 0 {
			t.Errorf("%s left %d memory segments", l, n)
		}
	}
}

// TestNothingRunsBeforeTheGate: a library named in a command's environment is part of
// the command. It tells by the gate, file 3, whether that is still closed.
func TestNothingRunsBeforeTheGate(t *testing.T) {
	needLevels(t, Basic)
	dir := publicDir(t, "octaskly-gate-")
	src, lib := filepath.Join(dir, "a.c"), filepath.Join(dir, "a.so")
	early, late := filepath.Join(dir, "early"), filepath.Join(dir, "late")
	code := `#include <fcntl.h>
__attribute__((constructor)) static void f(void) {
	open(fcntl(3, F_GETFD) != -1 ? "` + early + `" : "` + late + `", O_CREAT|O_WRONLY, 0666);
}`
	if err := os.WriteFile(src, []byte(code), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := osexec.Command("gcc", "-shared", "-fPIC", "-o", lib, src).CombinedOutput(); err != nil {
		t.Skipf("%v %s", err, out)
	}
	for l := None; l.Valid(); l++ {
		if !haveLevel(t, l) {
			continue
		}
		do(t, Spec{Shell: "/bin/true; :", Dir: dir, Level: l, Limits: Limits{OpenFiles: 64}, Env: []string{"LD_PRELOAD=" + lib}})
		if os.Remove(early) == nil {
			t.Errorf("%s: something of the command ran before its limits were set", l)
		}
		if os.Remove(late) != nil {
			t.Errorf("%s: the library was not used at all: this shows nothing", l)
		}
	}
}

// TestTheWorkerIsNotSlowedDown: who cannot signal a process cannot take its
// processor from it either.
func TestTheWorkerIsNotSlowedDown(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("commands run as somebody else")
	}
	cmd := osexec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	for l := Strict; l.Valid(); l++ {
		if haveLevel(t, l) {
			do(t, Spec{Shell: fmt.Sprintf("renice -n 5 -p %[1]d; chrt -i -p 0 %[1]d", cmd.Process.Pid), Level: l})
		}
	}
	if n, err := unix.Getpriority(unix.PRIO_PROCESS, cmd.Process.Pid); err != nil || n != 20 {
		t.Errorf("its priority is %d now, %v", 20-n, err)
	}
}

// TestModesElsewhereStay: where the file tree is read-only. Landlock knows nothing of
// modes and times.
func TestModesElsewhereStay(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("commands run as somebody else")
	}
	dir := publicDir(t, "octaskly-modes-")
	file := filepath.Join(dir, "key")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for l := Basic; l.Valid(); l++ {
		if !haveLevel(t, l) || !testRunner(t).levels[l].caged {
			continue
		}
		do(t, Spec{Shell: "chmod 644 " + file + "; touch -d 2001-01-01 " + file, Level: l})
		if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 || st.ModTime().Year() == 2001 {
			t.Errorf("%s: %v %v, %v", l, st.Mode(), st.ModTime(), err)
			_ = os.Chmod(file, 0o600)
			_ = os.Chtimes(file, time.Now(), time.Now())
		}
	}
}

// TestNoProgramIsMadeSetuid: by one, another user of the machine becomes us.
func TestNoProgramIsMadeSetuid(t *testing.T) {
	dir := publicDir(t, "octaskly-setuid-")
	for l := Basic; l.Valid(); l++ {
		if !haveLevel(t, l) {
			continue
		}
		file := filepath.Join(dir, l.String())
		do(t, Spec{Shell: "cp /bin/true " + file + "; chmod 4755 " + file, Dir: dir, Level: l})
		if st, err := os.Stat(file); err != nil || st.Mode()&(os.ModeSetuid|os.ModeSetgid) != 0 {
			t.Errorf("%s: %v", l, err)
		}
	}
}

// TestTheProcessTableIsNoDirectory: given as a directory, it leads to every other
// process, and by that to its file tree.
func TestTheProcessTableIsNoDirectory(t *testing.T) {
	secret := filepath.Join(testRunner(t).dirs.root, "secret")
	if err := os.WriteFile(secret, []byte("KEY"), 0o644); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(secret)
	cmd := osexec.Command("env", "-i", "TOKEN=KEY", "sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	for l := Basic; l.Valid(); l++ {
		if !haveLevel(t, l) {
			continue
		}
		var out strings.Builder
		run, err := testRunner(t).Start(t.Context(), Spec{
			Shell: fmt.Sprintf("cd /proc/%[1]d && echo LOOKED; cat /proc/%[1]d/root%[2]s; cat /proc/%[1]d/environ; echo 500 > /proc/%[1]d/oom_score_adj && echo CHANGED", cmd.Process.Pid, secret),
			Dir:   "/proc", Level: l, Timeout: 4 * time.Second, Grace: -1,
			Output: func(s Stream, p []byte) { out.Write(p) },
		})
		if err == nil {
			run.Wait()
			t.Errorf("%s: %q", l, out.String())
		}
	}
}
