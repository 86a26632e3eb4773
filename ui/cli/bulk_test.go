package cli

import (
	"context"
	"io"
	"strings"
	"testing"
)

func TestNobodyWritesALine(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in, w := io.Pipe() // open, and nothing comes
	defer w.Close()
	lines := readLines(ctx, in)
	cancel()
	if batch, more := nextBatch(ctx, lines); len(batch) != 0 || more {
		t.Errorf("%d lines came, more %v", len(batch), more)
	}
}

func TestAFileThatBeginsWithAMark(t *testing.T) {
	for l := range readLines(t.Context(), strings.NewReader("\ufeff{\"command\":\"true\"}\n")) {
		if l.Err != nil {
			t.Error(l.Err)
		}
	}
}
