package exec

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// workerEnv makes the test binary a worker that runs a hostile command in the
// named folder until it is killed.
const workerEnv = "OCTASKLY_TEST_WORKER"

func workUntilKilled(dir string) {
	r, err := NewRunner(Options{WorkRoot: dir, Levels: []Level{None, Basic, VeryStrict}})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	level, err := ParseLevel(os.Getenv("LEVEL"))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	run, err := r.Start(context.Background(), Spec{
		Shell: strings.ReplaceAll(hostile, "MARK", os.Getenv("MARK")), Cookie: "crash-" + os.Getenv("MARK"), Level: level,
		Output: func(_ Stream, p []byte) { os.Stdout.Write(p) },
	})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	run.Wait()
	os.Exit(0)
}

func TestNothingIsLeftOfAKilledWorker(t *testing.T) {
	for _, level := range []Level{None, Basic, VeryStrict} {
		if !haveLevel(t, level) {
			continue
		}
		for i := range rounds(2, 100) {
			crashOnce(t, level, fmt.Sprintf("%d%d%05d", 6, 100*int(level)+i, os.Getpid()))
		}
	}
}

func crashOnce(t *testing.T, level Level, mark string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "octaskly-crash-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	worker := osexec.Command(os.Args[0])
	worker.Env = append(os.Environ(), workerEnv+"="+dir, "MARK="+mark, "LEVEL="+level.String())
	out, err := worker.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	worker.Stderr = &said
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	_ = worker.Process.Kill()
	_ = worker.Wait()
	if line != "ready\n" {
		t.Fatalf("the worker said %q, and %s", line, said.String())
	}
	if level == VeryStrict {
		// Nobody has to look for anything: the cage ends with the worker.
		for deadline := time.Now().Add(10 * time.Second); witness(t, mark) > 0; {
			if time.Now().After(deadline) {
				t.Fatalf("%d processes outlived the worker and its cage", witness(t, mark))
			}
		}
		return
	}
	if n := witness(t, mark); n < 80 {
		t.Fatalf("only %d processes outlived the worker: nothing to test", n)
	}
	old, _ := filepath.Glob(filepath.Join(dir, "*"))
	r, err := NewRunner(Options{WorkRoot: dir, Levels: []Level{None, Basic}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	killed, err := r.SweepLeftovers(context.Background(), "crash-")
	if err != nil {
		t.Error(err)
	}
	if n := witness(t, mark); n != 0 {
		t.Errorf("%s: %d processes are left, %d were killed", level, n, killed)
	}
	for _, path := range old {
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%s: %s is left", level, path)
		}
	}
}

// TestLevelsOfEveryLandlock builds levels for every version of Landlock there has
// been, 0 being none, and lets them prove themselves.
func TestLevelsOfEveryLandlock(t *testing.T) {
	needLevels(t, Basic, Strict, VeryStrict)
	r := testRunner(t)
	for abi := range r.levels[Basic].fence.abi + 1 {
		for level := Basic; level.Valid(); level++ {
			c, err := newConfinement(level, setup{abi: abi, user: r.levels[Basic].user, dirs: r.levels[Basic].dirs, labels: r.labels})
			if abi == 0 && level == VeryStrict {
				if err == nil {
					t.Errorf("%s was built without Landlock", level)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := c.selfTest(); err != nil {
				t.Errorf("%s with Landlock %d: %v", level, abi, err)
			}
			c.fence.close()
		}
	}
}
