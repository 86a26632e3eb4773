//go:build linux || darwin || freebsd

package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// A command line must not talk to the terminal. A library that draws screens
// asks it for its colours while it is being initialised, which costs seconds on
// a terminal that does not answer; package theme stops that.

// quickly is how much longer a command that only prints may take than a small
// program that prints, at the same moment: on a busy machine everything is slow.
const quickly = 200 * time.Millisecond

// tries is how often a slow run is repeated; the fastest counts, because a busy
// machine makes anything slow once.
const tries = 15

func TestCommandsDoNotTalkToTheTerminal(t *testing.T) {
	program, small := build(t, "."), build(t, "./testdata/guarded")
	for _, args := range helpLines(t, program) {
		t.Run(strings.Join(args, " "), func(t *testing.T) { checkSilent(t, small, program, args...) })
	}
}

// TestGuardIsNeeded shows that the test above can fail: the same program text
// without the guard asks the terminal, with it it does not.
func TestGuardIsNeeded(t *testing.T) {
	small := build(t, "./testdata/guarded")
	checkSilent(t, small, small)
	out, took := onSilentTerminal(t, build(t, "./testdata/bare"))
	if !bytes.ContainsRune(out, 0x1b) && took < quickly {
		t.Error("without the guard the terminal is not asked either: the test proves nothing, or the guard is not needed any more")
	}
}

func checkSilent(t *testing.T, small, program string, args ...string) {
	t.Helper()
	best := time.Hour
	for n := 0; n < tries && best >= quickly; n++ {
		out, took := onSilentTerminal(t, program, args...)
		if i := bytes.IndexByte(out, 0x1b); i >= 0 {
			t.Fatalf("wrote an escape sequence to the terminal: %q", out[i:min(len(out), i+20)])
		}
		if len(out) == 0 {
			t.Fatal("printed nothing")
		}
		if best = min(best, took); best >= quickly {
			_, slow := onSilentTerminal(t, small)
			best = min(best, took-slow)
		}
	}
	if best >= quickly {
		t.Errorf("took %v longer than a small program, want less than %v", best, quickly)
	}
}

// onSilentTerminal runs a program on a terminal that answers nothing, until it
// ends or has written an escape character. The time runs from its start to its
// end.
func onSilentTerminal(t *testing.T, program string, args ...string) (out []byte, took time.Duration) {
	t.Helper()
	cmd := exec.Command(program, args...)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "CI=") && !strings.HasPrefix(kv, "TERM=") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, "TERM=xterm-256color")
	start := time.Now()
	tty, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	buf := make([]byte, 4096)
	for {
		n, err := tty.Read(buf)
		out = append(out, buf[:n]...)
		if bytes.IndexByte(out, 0x1b) >= 0 {
			_ = cmd.Process.Kill()
			break
		}
		if err != nil {
			var gone *fs.PathError // reading from a terminal whose last user left
			if !errors.Is(err, io.EOF) && !errors.As(err, &gone) {
				t.Fatal(err)
			}
			break
		}
	}
	_ = cmd.Wait() // a killed control ends otherwise than well
	return out, time.Since(start)
}

// helpLines is version, and --help of the program and of every verb in it.
func helpLines(t *testing.T, program string) [][]string {
	t.Helper()
	out, err := exec.Command(program, "help").Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := [][]string{{"version"}, {"--help"}}
	heading := ""
	for l := range strings.SplitSeq(string(out), "\n") {
		switch {
		case strings.HasSuffix(l, ":"):
			heading = l
		case heading == "Verbs:" || heading == "More:":
			if verb, _, ok := strings.Cut(strings.TrimSpace(l), " "); ok {
				lines = append(lines, []string{verb, "--help"})
			}
		}
	}
	if len(lines) < 20 {
		t.Fatalf("help lists only %d verbs", len(lines)-2)
	}
	return lines
}

func build(t *testing.T, pkg string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	cmd := exec.Command("go", "build", "-o", program, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", pkg, err, out)
	}
	return program
}
