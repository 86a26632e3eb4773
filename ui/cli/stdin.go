package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// input reads what the task gets as standard input.
func (t *taskFlags) input(env *environment, s *task.Spec) error {
	switch {
	case t.stdin && t.stdinFile != "":
		return task.Errorf(task.KindUsage, "--stdin and --stdin-file exclude each other")
	case t.stdinFile != "":
		f, err := openInput(env.ctx, t.stdinFile)
		if err != nil {
			return inputFault("--stdin-file", err)
		}
		defer f.Close()
		return readStdin(env, s, f, t.stdinFile)
	case t.stdin:
		note := time.AfterFunc(2*time.Second, func() {
			env.out.say("reading standard input until its end; use </dev/null if the task needs none")
		})
		defer note.Stop()
		return readStdin(env, s, env.Stdin, "standard input")
	}
	return nil
}

// readStdin reads all of r. More than what can be given is refused, never cut.
func readStdin(env *environment, s *task.Spec, r io.Reader, what string) error {
	data, err := readInput(env.ctx, r, task.MaxStdin)
	if err != nil {
		return inputFault("read "+what, err)
	}
	if len(data) > task.MaxStdin {
		return task.Errorf(task.KindTooLarge, "%s has more than %d MiB, the most a task can be given", what, task.MaxStdin>>20).
			WithHint("put it in a file the node can read, and name that in the command")
	}
	s.Stdin = data
	return nil
}

// storeStdin puts standard input that is too large to ride in the task beside
// the queue.
func (c *connection) storeStdin(ctx context.Context, s *task.Spec) error {
	if len(s.Stdin) <= task.MaxInlineStdin {
		return nil
	}
	r := bytes.NewReader(s.Stdin)
	ref, err := c.PutBlob(ctx, int64(len(s.Stdin)), r.Read)
	if err != nil {
		return fmt.Errorf("store standard input: %w", err)
	}
	s.Stdin, s.StdinRef = nil, ref
	return nil
}
