package cli

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

func TestNobodyWritesALine(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in, w := io.Pipe() // open, and nothing comes
	defer w.Close()
	lines := readAhead(ctx, text.NewLines(in))
	cancel()
	if batch, more := nextBatch(ctx, lines); len(batch) != 0 || more {
		t.Errorf("%d lines came, more %v", len(batch), more)
	}
}

func TestAFileThatBeginsWithAMark(t *testing.T) {
	for l := range readAhead(t.Context(), text.NewLines(strings.NewReader("\ufeff{\"command\":\"true\"}\n"))) {
		if l.Err != nil {
			t.Error(l.Err)
		}
	}
}

// TestSharedInputIsStoredOnce: what every line gets as standard input is sent once.
func TestSharedInputIsStoredOnce(t *testing.T) {
	f := &fake{}
	path := filepath.Join(t.TempDir(), "input")
	if err := os.WriteFile(path, make([]byte, task.MaxInlineStdin+1), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newSession(f, "submit", "--from", "-", "--stdin-file", path)
	s.program.Stdin = strings.NewReader("{\"command\":\"a\"}\n{\"command\":\"b\"}\n{\"command\":\"c\",\"stdin\":\"own\"}\n")
	if code := s.run(); code != 0 || f.stored != 1 {
		t.Errorf("code %d, stored %d times: %s", code, f.stored, s.err.String())
	}
	if a, b, c := f.tasks[0].Spec, f.tasks[1].Spec, f.tasks[2].Spec; a.StdinRef == "" || a.StdinRef != b.StdinRef || string(c.Stdin) != "own" {
		t.Errorf("%q, %q, %q", a.StdinRef, b.StdinRef, c.Stdin)
	}
}
