package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// logFlags say which output to show and how.
type logFlags struct {
	follow, stdout, stderr, timestamps, all, allAttempts bool

	tail    int
	attempt uint32
	since   string
	from    int64 // Unix ms; what was written before is left out
}

func newLogsCommand(env *environment) *cobra.Command {
	var f logFlags
	cmd := &cobra.Command{
		Use: "logs ID | -f --all", Short: "the output of a task", Args: cobra.ArbitraryArgs,
		Long: `Print what a task wrote, its standard output on standard output and its
standard error on standard error. To a terminal it is cleaned of everything
that could act on it; anywhere else the bytes come as they were. With -f --all,
print what all tasks write from now on, each line behind the number of its task.`,
		Example: `  octaskly logs 42
  octaskly logs -f 42
  octaskly logs -f --all`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			if f.all {
				if err := exactly(0, "")(cmd, args); err != nil {
					return err
				}
				return followAllLogs(env, &f)
			}
			if err := exactly(1, "the number of a task")(cmd, args); err != nil {
				return err
			}
			id, err := oneID(args[0])
			if err != nil {
				return err
			}
			return showLogs(env, id, &f)
		},
	}
	cmd.Flags().BoolVarP(&f.follow, "follow", "f", false, "go on until the task has ended")
	cmd.Flags().BoolVar(&f.stdout, "stdout", false, "only standard output")
	cmd.Flags().BoolVar(&f.stderr, "stderr", false, "only standard error")
	cmd.Flags().IntVar(&f.tail, "tail", 0, "only the last `N` lines of what is there; 0 is all")
	cmd.Flags().BoolVarP(&f.timestamps, "timestamps", "t", false, "begin each line with its time")
	cmd.Flags().BoolVar(&f.all, "all", false, "with -f: of all tasks that run")
	cmd.Flags().StringVar(&f.since, "since", "", "only what was written since: a `DURATION` ago (10m) or a time (RFC 3339), by the worker's clock")
	cmd.Flags().Uint32Var(&f.attempt, "attempt", 0, "what attempt `N` wrote (default the latest)")
	cmd.Flags().BoolVar(&f.allAttempts, "all-attempts", false, "what every attempt wrote, one after the other")
	return cmd
}

func (f *logFlags) check(cmd *cobra.Command) (err error) {
	if f.from, err = parseSince(f.since, time.Now()); err != nil {
		return err
	}
	switch {
	case f.tail < 0:
		return usageOf(cmd, "--tail %d is below 0", f.tail)
	case f.all && !f.follow:
		return usageOf(cmd, "--all needs -f")
	case f.all && (f.tail > 0 || f.attempt > 0 || f.allAttempts):
		return usageOf(cmd, "--tail, --attempt and --all-attempts are for one task")
	case cmd.Flags().Changed("attempt") && f.attempt == 0:
		return usageOf(cmd, "--attempt 0: the first one is 1")
	case f.allAttempts && f.attempt > 0:
		return usageOf(cmd, "--attempt and --all-attempts exclude each other")
	}
	return nil
}

func (f *logFlags) wants(stream uint8) bool {
	switch stream {
	case 1:
		return f.stdout || !f.stderr
	case 2:
		return f.stderr || !f.stdout
	}
	return true
}

// chunkObject is a piece of output with --json: text when it is valid UTF-8,
// else base64.
type chunkObject struct {
	Task    task.ID `json:"task"`
	Time    *string `json:"time"`
	Attempt uint32  `json:"attempt"`
	Stream  string  `json:"stream"` // stdout, stderr or note
	Text    *string `json:"text"`
	Base64  []byte  `json:"base64"`
	Skipped int64   `json:"skipped"`
}

// showLogs prints the output of one attempt, or of all of them.
func showLogs(env *environment, id task.ID, f *logFlags) error {
	c, err := env.connect()
	if err != nil {
		return err
	}
	defer c.close()
	ctx, cancel := env.answer()
	t, err := c.Get(ctx, id)
	cancel()
	if err != nil {
		return withHints(err)
	}
	attempts, err := f.attempts(&t)
	if err != nil {
		return err
	}
	sink := newSink(env)
	defer sink.close()
	if f.timestamps {
		sink.out, sink.err = &stamper{w: sink.out}, &stamper{w: sink.err}
	}
	for i, number := range attempts {
		if f.allAttempts {
			ctx, cancel := env.answer()
			env.out.say("octaskly: attempt %d%s", number, text.CleanLine(attemptHeading(&t, number, c.nodeName(ctx))))
			cancel()
		}
		r := control.FollowRequest{ID: id, Output: true, Attempt: number, Tail: f.tail, NoWait: !f.follow || i < len(attempts)-1}
		if err := showAttempt(env, c, r, sink, f); err != nil {
			return err
		}
	}
	return nil
}

// attempts are the numbers of the attempts to show, in order; 0 is the present
// one and those to come.
func (f *logFlags) attempts(t *task.Task) ([]uint32, error) {
	var known []uint32
	for i := range t.Attempts {
		known = append(known, t.Attempts[i].Fence.Attempt)
	}
	switch {
	case f.attempt != 0 && !slices.Contains(known, f.attempt):
		return nil, task.Errorf(task.KindUsage, "task %s has no attempt %d: %s", t.ID, f.attempt, attemptsText(known))
	case f.attempt != 0:
		return []uint32{f.attempt}, nil
	case len(known) == 0:
		return []uint32{0}, nil
	case !t.State.Terminal() && f.follow:
		known[len(known)-1] = 0
	}
	if f.allAttempts {
		return known, nil
	}
	return known[len(known)-1:], nil
}

func attemptsText(known []uint32) string {
	if len(known) == 0 {
		return "it had none yet"
	}
	if first, last := known[0], known[len(known)-1]; first != last {
		return fmt.Sprintf("it had %d to %d", first, last)
	}
	return fmt.Sprintf("it had only %d", known[0])
}

// attemptHeading is where an attempt ran and how it ended.
func attemptHeading(t *task.Task, number uint32, nodeName func(task.NodeID) string) string {
	for i := range t.Attempts {
		if attempt := &t.Attempts[i]; attempt.Fence.Attempt == number || number == 0 && i == len(t.Attempts)-1 {
			heading := " on " + nodeName(attempt.Node)
			if attempt.Ended != 0 {
				heading += ", " + text.Exit(&attempt.Exit)
			}
			return heading
		}
	}
	return ""
}

// showAttempt prints the output that r asks for until its end.
func showAttempt(env *environment, c *connection, r control.FollowRequest, sink *sink, f *logFlags) error {
	s, err := c.Follow(env.ctx, r)
	if err != nil {
		return withHints(err)
	}
	defer closeWith(env.ctx, s)()
	var last *task.Task
	for {
		item, err := s.Next()
		if item.Task != nil {
			last = item.Task
		}
		switch {
		case errors.Is(err, io.EOF):
			if last != nil && limitHit(last) != "" && !env.out.json {
				env.out.say("octaskly: %s", endLine(last))
			}
			return nil
		case env.ctx.Err() != nil:
			return context.Cause(env.ctx)
		case err != nil:
			return withHints(err)
		}
		for i := range item.Chunks {
			if err := printLogChunk(env, r.ID, sink, &item.Chunks[i], f); err != nil {
				return err
			}
		}
	}
}

func printLogChunk(env *environment, id task.ID, s *sink, c *control.Chunk, f *logFlags) error {
	if !f.wants(c.Stream) || c.Time != 0 && c.Time < f.from {
		return nil
	}
	if env.out.json {
		o := chunkObject{Task: id, Time: stamp(c.Time), Attempt: c.Attempt, Stream: [...]string{"note", "stdout", "stderr"}[min(c.Stream, 2)], Skipped: c.Skipped}
		if utf8.Valid(c.Data) {
			text := string(c.Data)
			o.Text = &text
		} else {
			o.Base64 = c.Data
		}
		return env.out.object(o)
	}
	for _, w := range []io.Writer{s.out, s.err} {
		if st, ok := w.(*stamper); ok {
			st.at = c.Time
		}
	}
	return s.chunk(env, c)
}

// stamper begins each line with the time of the chunk it began in.
type stamper struct {
	w      io.Writer
	at     int64 // Unix ms of the chunk being written
	inLine bool
}

// Write adds the times.
func (s *stamper) Write(p []byte) (int, error) {
	var out []byte
	for _, c := range p {
		if !s.inLine {
			out = time.UnixMilli(s.at).AppendFormat(out, "15:04:05.000 ")
			s.inLine = true
		}
		out = append(out, c)
		if c == '\n' {
			s.inLine = false
		}
	}
	if _, err := s.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}
