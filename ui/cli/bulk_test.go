package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestEndlessLine(t *testing.T) {
	var got []bulkLine
	for l := range readLines(t.Context(), io.MultiReader(strings.NewReader("{\"command\":\"true\"}\n"), endless{})) {
		got = append(got, l)
	}
	if len(got) != 2 || got[0].err != nil || !errors.Is(got[1].err, errEndlessLine) {
		t.Errorf("%d lines, %v", len(got), got[len(got)-1].err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := readLine(ctx, bufio.NewReader(endless{})); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled, it went on: %v", err)
	}
}

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
		if l.err != nil {
			t.Error(l.err)
		}
	}
}
