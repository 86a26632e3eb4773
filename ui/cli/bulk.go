package cli

import (
	"bufio"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// maxBulkBytes bounds how much one submit carries, so that an answer comes
// soon and memory stays small.
const maxBulkBytes = 4 << 20

// bulkResult is one line of output with --json.
type bulkResult struct {
	Line      int        `json:"line"`
	ID        *task.ID   `json:"id"`
	Duplicate bool       `json:"duplicate"`
	Error     *errorBody `json:"error"`
}

// submitFrom queues the tasks of a file, a JSON object a line. Good lines are
// accepted although others are bad; every bad one is named.
func submitFrom(env *environment, cmd *cobra.Command, path string, args []string, flags *taskFlags) error {
	if len(args) > 0 {
		return usageOf(cmd, "--from takes its commands from the file, but %s was given too", quoteAll(args))
	}
	defaults, err := flags.defaultsOfLines(env, cmd, path == "-")
	if err != nil {
		return err
	}
	in := env.Stdin
	if path != "-" {
		f, err := openInput(env.ctx, path)
		if err != nil {
			return inputFault("--from", err)
		}
		defer f.Close()
		if fi, err := f.Stat(); err == nil && fi.IsDir() {
			return task.Errorf(task.KindUsage, "--from: %s is a directory", path)
		}
		in = f
	}
	c, err := env.connect()
	if err != nil {
		return err
	}
	defer c.close()
	ctx, cancel := context.WithCancel(env.ctx)
	defer cancel()
	lines := text.NewLines(in)
	lines.Defaults = defaults
	b := &bulk{env: env, c: c, failFast: flags.failFast, stdin: defaults.Spec.Stdin, out: bufio.NewWriter(env.Stdout)}
	err = b.run(ctx, readAhead(ctx, lines))
	if ferr := b.out.Flush(); err == nil {
		err = ferr
	}
	if err != nil {
		return withHints(err)
	}
	return b.verdict()
}

// readAhead reads lines ahead of their submission. The channel ends with the
// input, or when ctx ends.
func readAhead(ctx context.Context, lines *text.Lines) <-chan text.Line {
	out := make(chan text.Line, 2*task.MaxBatch)
	go func() {
		defer close(out)
		for {
			line, more := lines.Next(ctx)
			if !more {
				return
			}
			select {
			case out <- line:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// bulk submits lines in batches and prints what became of each, in order.
type bulk struct {
	env      *environment
	c        *connection
	out      *bufio.Writer
	failFast bool
	stdin    []byte // of every line that names none
	stdinRef string // where it is stored, once it is

	good, refused int
}

// run takes what lines are there, up to a batch, and never waits for a batch
// to fill.
func (b *bulk) run(ctx context.Context, lines <-chan text.Line) error {
	for {
		batch, more := nextBatch(ctx, lines)
		if len(batch) > 0 {
			if err := b.submit(ctx, batch); err != nil {
				return err
			}
		}
		if !more {
			return ctx.Err()
		}
	}
}

func nextBatch(ctx context.Context, lines <-chan text.Line) (batch []text.Line, more bool) {
	var l text.Line
	var ok bool
	select {
	case l, ok = <-lines:
	case <-ctx.Done():
	}
	if !ok {
		return nil, false
	}
	batch = append(batch, l)
	size := l.Task.Spec.Size()
	for len(batch) < task.MaxBatch && size < maxBulkBytes {
		select {
		case l, ok := <-lines:
			if !ok {
				return batch, false
			}
			batch = append(batch, l)
			size += l.Task.Spec.Size()
		default:
			return batch, true
		}
	}
	return batch, true
}

func (b *bulk) submit(ctx context.Context, batch []text.Line) error {
	var r control.SubmitRequest
	r.FailFast = b.failFast
	for i := range batch {
		l := &batch[i]
		if l.Err == nil {
			l.Err = b.storeStdin(ctx, &l.Task.Spec)
		}
		if l.Err != nil {
			continue
		}
		if l.Task.Key == "" {
			l.Task.Key = task.NewKey()
		}
		r.Tasks = append(r.Tasks, l.Task)
	}
	var reply control.SubmitReply
	if len(r.Tasks) > 0 {
		var err error
		if reply, err = b.c.Submit(ctx, r); err != nil {
			return fmt.Errorf("submit line %d and those after it: %w", batch[0].Number, err)
		}
		if len(reply.Results) != len(r.Tasks) {
			return task.Errorf(task.KindInternal, "submit: %d answers came for %d tasks", len(reply.Results), len(r.Tasks))
		}
	}
	at := 0
	for i := range batch {
		var s control.Submitted
		err := batch[i].Err
		if err == nil {
			s = reply.Results[at]
			err = refusalOf(s)
			at++
		}
		if err := b.report(batch[i].Number, s, err); err != nil {
			return err
		}
	}
	return b.out.Flush()
}

// storeStdin stores the standard input that lines share once.
func (b *bulk) storeStdin(ctx context.Context, s *task.Spec) error {
	shared := len(s.Stdin) > 0 && len(b.stdin) > 0 && &s.Stdin[0] == &b.stdin[0]
	if shared && b.stdinRef != "" {
		s.Stdin, s.StdinRef = nil, b.stdinRef
		return nil
	}
	err := b.c.storeStdin(ctx, s)
	if shared {
		b.stdinRef = s.StdinRef
	}
	return err
}

// report prints what became of one line.
func (b *bulk) report(line int, s control.Submitted, err error) error {
	if err != nil {
		b.refused++
	} else {
		b.good++
	}
	switch {
	case b.env.out.json:
		r := bulkResult{Line: line, Duplicate: s.Duplicate}
		if err != nil {
			body := errorOf(err)
			r.Error = &body
		} else {
			r.ID = &s.ID
		}
		return writeJSON(b.out, r)
	case err != nil:
		b.env.out.warn("line %d: %s", line, cleanLines(err.Error()))
		if h := task.HintOf(err); h != "" {
			b.env.out.say("  %s", cleanLines(h))
		}
		return nil
	}
	_, err = fmt.Fprintf(b.out, "%s\n", s.ID)
	return err
}

// verdict is how a bulk submit ends.
func (b *bulk) verdict() error {
	if b.good+b.refused == 0 {
		return task.Errorf(task.KindUsage, "--from: %w", errNothing)
	}
	if b.refused > 0 {
		b.env.out.warn("%d queued, %d refused", b.good, b.refused)
		return silent(exitPartly)
	}
	b.env.out.say("%d queued", b.good)
	return nil
}
