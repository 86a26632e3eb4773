package cli

import (
	"io"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task/text"
)

// sink is where a task's output goes: as it is to a program, cleaned to a
// person.
type sink struct {
	out, err io.Writer
	closers  []io.Closer
}

func newSink(env *environment) *sink {
	s := &sink{out: env.Stdout, err: env.Stderr}
	if isTerminal(env.Stdout) {
		c := text.NewCleaner(env.Stdout)
		s.out, s.closers = c, append(s.closers, c)
	}
	if isTerminal(env.Stderr) {
		c := text.NewCleaner(env.Stderr)
		s.err, s.closers = c, append(s.closers, c)
	}
	return s
}

// discard drops what comes from now on.
func (s *sink) discard() { s.out, s.err = io.Discard, io.Discard }

func (s *sink) close() {
	for _, c := range s.closers {
		_ = c.Close() // the last few bytes of an unfinished character
	}
}

// chunk writes one piece of output.
func (s *sink) chunk(env *environment, c *control.Chunk) error {
	if c.Skipped > 0 {
		env.out.warn("octaskly: %d bytes of output were dropped here", c.Skipped)
	}
	if len(c.Data) == 0 {
		return nil
	}
	switch c.Stream {
	case 1:
		_, err := s.out.Write(c.Data)
		return err
	case 2:
		_, err := s.err.Write(c.Data)
		return err
	}
	env.out.say("octaskly: %s", text.CleanLine(string(c.Data)))
	return nil
}

// outputError is a failure to write what a task wrote. Reconnecting would not
// help.
type outputError struct{ err error }

// Error says what failed.
func (e outputError) Error() string { return "write the output: " + e.err.Error() }

// Unwrap gives the cause.
func (e outputError) Unwrap() error { return e.err }

// print writes a chunk, without what was printed before a reconnect.
func (f *following) print(c *control.Chunk) error {
	n := int64(len(c.Data)) + c.Skipped
	f.printed[c.Attempt] += n
	if old := f.replay[c.Attempt]; old > 0 {
		f.printed[c.Attempt] -= min(old, n)
		f.replay[c.Attempt] = max(0, old-n)
		if old >= n {
			return nil
		}
		rest := *c
		if old >= c.Skipped {
			rest.Data, rest.Skipped = c.Data[old-c.Skipped:], 0
		}
		return f.sink.chunk(f.env, &rest)
	}
	return f.sink.chunk(f.env, c)
}
