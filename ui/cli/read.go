package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"

	"github.com/adauldev/octaskly/queue/task"
)

// Everything a verb reads from outside may be a pipe that nobody writes to, also
// where the name of a file stands. All such reading goes through interruptible,
// so that the first signal ends it.

// interruptible runs a read that may never return, and returns when it has or
// when ctx ends. Then the read is left behind with what it opened, and read must
// not touch anything of the caller.
func interruptible[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	results := make(chan result, 1)
	go func() {
		value, err := read()
		results <- result{value, err}
	}()
	select {
	case r := <-results:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// inputFault says what could not be read; an interrupt stays what it is.
func inputFault(what string, err error) error {
	var interrupt signalled
	if errors.As(err, &interrupt) {
		return err
	}
	var known *task.Error
	if errors.As(err, &known) {
		return &task.Error{Kind: known.Kind, Message: what + ": " + known.Error(), Hint: known.Hint}
	}
	return task.Errorf(task.KindUsage, "%s: %w", what, err)
}

// openInput opens a file to be read. The caller closes it.
func openInput(ctx context.Context, path string) (*os.File, error) {
	return interruptible(ctx, func() (*os.File, error) { return os.Open(path) })
}

// readInput reads at most limit+1 bytes of r, so that too much can be told from
// enough.
func readInput(ctx context.Context, r io.Reader, limit int64) ([]byte, error) {
	return interruptible(ctx, func() ([]byte, error) { return io.ReadAll(io.LimitReader(r, limit+1)) })
}

// readInputFile is readInput of a file.
func readInputFile(ctx context.Context, path string, limit int64) ([]byte, error) {
	f, err := openInput(ctx, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readInput(ctx, f, limit)
}

// readInputLine reads the first line of r, at most limit bytes, without its end.
func readInputLine(ctx context.Context, r io.Reader, limit int) (string, error) {
	return interruptible(ctx, func() (string, error) {
		var line []byte
		one := make([]byte, 1) // never more than the line: what follows belongs to somebody else
		for len(line) < limit {
			n, err := r.Read(one)
			if n > 0 && one[0] == '\n' || err != nil {
				if err == io.EOF {
					err = nil
				}
				return string(bytes.TrimSuffix(line, []byte("\r"))), err
			}
			line = append(line, one[:n]...)
		}
		return string(line), task.Errorf(task.KindTooLarge, "the line is longer than %d bytes", limit)
	})
}
