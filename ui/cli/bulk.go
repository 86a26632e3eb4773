package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// bulkLine is one line of the input: a task, or what is wrong with it.
type bulkLine struct {
	number int
	sub    task.Submission
	err    error
}

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
func submitFrom(env *environment, cmd *cobra.Command, path string, args []string, failFast, wait bool) error {
	switch {
	case len(args) > 0:
		return usageOf(cmd, "--from takes its commands from the file, but %s was given too", quoteAll(args))
	case wait:
		return task.Errorf(task.KindUsage, "--from cannot be combined with --wait or --follow").
			WithHint("octaskly submit -q --from FILE | xargs octaskly wait")
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
	b := &bulk{env: env, c: c, failFast: failFast, out: bufio.NewWriter(env.Stdout)}
	err = b.run(ctx, readLines(ctx, in))
	if ferr := b.out.Flush(); err == nil {
		err = ferr
	}
	if err != nil {
		return withHints(err)
	}
	return b.verdict()
}

// readLines parses lines ahead of their submission. The channel ends with the
// input, or when ctx ends.
func readLines(ctx context.Context, in io.Reader) <-chan bulkLine {
	out := make(chan bulkLine, 2*task.MaxBatch)
	go func() {
		defer close(out)
		r := bufio.NewReaderSize(in, 256<<10)
		for n := 1; ; n++ {
			text, err := readLine(ctx, r)
			if n == 1 {
				text = bytes.TrimPrefix(text, []byte("\ufeff")) // as some editors begin a file
			}
			if len(bytes.TrimSpace(text)) > 0 || (err != nil && !errors.Is(err, io.EOF)) {
				l := bulkLine{number: n}
				if l.sub, l.err = parseLine(text, err); l.err != nil && errors.Is(err, errLongLine) {
					err = nil
				}
				select {
				case out <- l:
				case <-ctx.Done():
					return
				}
			}
			if err != nil && !errors.Is(err, errLongLine) {
				return
			}
		}
	}()
	return out
}

var (
	errLongLine    = errors.New("the line is too long")
	errEndlessLine = errors.New("this is not a file of tasks, one a line")
)

// endlessLine is how long a line may be that is passed over.
const endlessLine = 4 * task.MaxDocument

// readLine reads a line, keeping at most what a task may have.
func readLine(ctx context.Context, r *bufio.Reader) ([]byte, error) {
	var line []byte
	total := 0
	for long := false; ; {
		part, err := r.ReadSlice('\n')
		if total += len(part); total > endlessLine {
			return nil, errEndlessLine
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if len(line)+len(part) > task.MaxDocument {
			long, line = true, nil
		}
		if !long {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case long:
			return nil, errLongLine
		default:
			return line, err
		}
	}
}

func parseLine(text []byte, err error) (task.Submission, error) {
	switch {
	case errors.Is(err, errLongLine):
		return task.Submission{}, task.Errorf(task.KindTooLarge, "the line is longer than %d MiB", task.MaxDocument>>20)
	case errors.Is(err, errEndlessLine):
		return task.Submission{}, task.Errorf(task.KindTooLarge, "the line is longer than %d MiB: %w", endlessLine>>20, err)
	case err != nil && !errors.Is(err, io.EOF):
		return task.Submission{}, task.Errorf(task.KindUsage, "read: %w", err)
	}
	sub, err := task.ParseDocument(text)
	if err == nil {
		err = checkButStdin(sub.Spec)
	}
	return sub, err
}

// bulk submits lines in batches and prints what became of each, in order.
type bulk struct {
	env      *environment
	c        *connection
	out      *bufio.Writer
	failFast bool

	good, refused int
}

// run takes what lines are there, up to a batch, and never waits for a batch
// to fill.
func (b *bulk) run(ctx context.Context, lines <-chan bulkLine) error {
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

func nextBatch(ctx context.Context, lines <-chan bulkLine) (batch []bulkLine, more bool) {
	var l bulkLine
	var ok bool
	select {
	case l, ok = <-lines:
	case <-ctx.Done():
	}
	if !ok {
		return nil, false
	}
	batch = append(batch, l)
	size := l.sub.Spec.Size()
	for len(batch) < task.MaxBatch && size < maxBulkBytes {
		select {
		case l, ok := <-lines:
			if !ok {
				return batch, false
			}
			batch = append(batch, l)
			size += l.sub.Spec.Size()
		default:
			return batch, true
		}
	}
	return batch, true
}

func (b *bulk) submit(ctx context.Context, batch []bulkLine) error {
	var r control.SubmitRequest
	r.FailFast = b.failFast
	for i := range batch {
		l := &batch[i]
		if l.err == nil {
			l.err = b.c.storeStdin(ctx, &l.sub.Spec)
		}
		if l.err != nil {
			continue
		}
		if l.sub.Key == "" {
			l.sub.Key = task.NewKey()
		}
		r.Tasks = append(r.Tasks, control.NewTask{Spec: l.sub.Spec, Key: l.sub.Key})
	}
	var reply control.SubmitReply
	if len(r.Tasks) > 0 {
		var err error
		if reply, err = b.c.Submit(ctx, r); err != nil {
			return fmt.Errorf("submit line %d and those after it: %w", batch[0].number, err)
		}
		if len(reply.Results) != len(r.Tasks) {
			return task.Errorf(task.KindInternal, "submit: %d answers came for %d tasks", len(reply.Results), len(r.Tasks))
		}
	}
	at := 0
	for i := range batch {
		var s control.Submitted
		err := batch[i].err
		if err == nil {
			s = reply.Results[at]
			err = refusalOf(s)
			at++
		}
		if err := b.report(batch[i].number, s, err); err != nil {
			return err
		}
	}
	return b.out.Flush()
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
