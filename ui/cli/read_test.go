//go:build unix

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/adauldev/octaskly/node/control"
)

// TestAnInterruptEndsEveryRead: a pipe that nobody writes to, wherever the name of
// a file or standard input is read, does not make a verb deaf.
func TestAnInterruptEndsEveryRead(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	for _, line := range []string{
		"run --stdin cat", "submit --stdin cat", "submit --stdin-file PIPE cat", "submit --env-file PIPE true", "submit --secret-env A=@PIPE true",
		"submit --from PIPE", "submit --from -", "submit -", "join --join-file PIPE", "join -", "join --join-file -", "worker --headless --join-file PIPE",
		"nodes remove mill", "ps --config PIPE",
	} {
		in, end, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		s := newSession(&fake{nodes: []control.Node{{ID: "mill", Name: "mill"}}}, strings.Fields(strings.ReplaceAll(line, "PIPE", pipe))...)
		s.program.Stdin, s.program.Asks = in, true
		codes := make(chan int, 1)
		go func() { codes <- s.run() }()
		s.signals <- os.Interrupt
		if code := <-codes; code != 130 {
			t.Errorf("%s: code %d, want 130: %s", line, code, s.err.String())
		}
		_, _ = end.Close(), in.Close()
		if w, err := os.OpenFile(pipe, os.O_RDWR|syscall.O_NONBLOCK, 0); err == nil { // whoever still waits for a writer
			_ = w.Close()
		}
	}
}
