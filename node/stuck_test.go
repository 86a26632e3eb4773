package node

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// TestStuckEndsTheProcess: with its own exit code, and with what hangs in the log.
func TestStuckEndsTheProcess(t *testing.T) {
	var log bytes.Buffer
	var code int
	n := &Node{log: slog.New(slog.NewTextHandler(&log, nil)), opt: Options{Exit: func(c int) { code = c }}}
	n.stuck()
	if code != ExitStuck {
		t.Errorf("exit code %d, want %d", code, ExitStuck)
	}
	if !strings.Contains(log.String(), "TestStuckEndsTheProcess") {
		t.Errorf("this goroutine is not in the log:\n%.2000s", log.String())
	}
}
