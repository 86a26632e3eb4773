//go:build linux || darwin || freebsd

package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

var codeShape = regexp.MustCompile(`pairing code: ([0-9A-Z]{4}-[0-9A-Z]{4})`)

// newcomer is a worker of a user who belongs to no cluster.
func newcomer(t *testing.T, program string, args ...string) *exec.Cmd {
	t.Helper()
	home := t.TempDir()
	run := filepath.Join(home, "run")
	if err := os.Mkdir(run, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_RUNTIME_DIR="+run, "XDG_DATA_HOME="+filepath.Join(home, "data"),
		"XDG_STATE_HOME="+filepath.Join(home, "state"), "XDG_CONFIG_HOME="+filepath.Join(home, "config"))
	return cmd
}

// filesWith lists the files below the newcomer's home in which a word stands.
func filesWith(t *testing.T, cmd *exec.Cmd, word string) (found []string) {
	t.Helper()
	var home string
	for _, kv := range cmd.Env {
		if h, ok := strings.CutPrefix(kv, "HOME="); ok {
			home = h
		}
	}
	err := filepath.WalkDir(home, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil //nolint:nilerr // it may come and go
		}
		if b, err := os.ReadFile(path); err == nil && bytes.Contains(b, []byte(word)) {
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestCodeOnTheTerminal: a worker without a screen shows its code on its
// terminal, and not in its log.
func TestCodeOnTheTerminal(t *testing.T) {
	cmd := newcomer(t, build(t, "."), "--headless", "worker", "--log-file", "node.log")
	cmd.Dir = t.TempDir()
	tty, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	stop := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	var out []byte
	buf := make([]byte, 4096)
	for !codeShape.Match(out) {
		n, err := tty.Read(buf)
		if out = append(out, buf[:n]...); err != nil {
			t.Fatalf("no code on the terminal: %v\n%s", err, out)
		}
	}
	code := string(codeShape.FindSubmatch(out)[1])
	files := filesWith(t, cmd, code)
	if len(files) != 1 || filepath.Base(files[0]) != "code" {
		t.Errorf("the code stands in %q", files)
	} else if fi, err := os.Stat(files[0]); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("the file with the code: %v %v", fi.Mode(), err)
	}
	if b, err := os.ReadFile(filepath.Join(cmd.Dir, "node.log")); err != nil || len(b) == 0 || bytes.Contains(b, []byte(code)) {
		t.Errorf("the log, with the code in it or empty: %v\n%s", err, b)
	}
	_ = cmd.Process.Signal(syscall.SIGINT)
	_ = cmd.Wait()
	if files := filesWith(t, cmd, code); len(files) > 0 {
		t.Errorf("after the end the code stands in %q", files)
	}
}

// TestCodeWithoutATerminal: the code is only where `octaskly identity` finds it.
func TestCodeWithoutATerminal(t *testing.T) {
	program := build(t, ".")
	cmd := newcomer(t, program, "worker", "--verbose")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	var code string
	for end := time.Now().Add(time.Minute); code == "" && time.Now().Before(end); <-time.After(50 * time.Millisecond) {
		ask := exec.Command(program, "identity")
		ask.Env = cmd.Env
		out, err := ask.Output()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if m := regexp.MustCompile(`pairing code +([0-9A-Z-]{9})`).FindSubmatch(out); m != nil && len(filesWith(t, cmd, string(m[1]))) == 1 {
			code = string(m[1])
		}
	}
	_ = cmd.Process.Signal(syscall.SIGINT)
	_ = cmd.Wait()
	if code == "" || bytes.Contains(log.Bytes(), []byte(code)) {
		t.Errorf("code %q; the log:\n%s", code, log.Bytes())
	}
}
