package text

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/adauldev/octaskly/queue/task"
)

// Lines reads tasks from a file, one a line, each as ReadTask reads it. Empty lines
// are left out.
type Lines struct {
	// Commands lets a line that does not begin with { be a command for the shell,
	// and one that begins with # be left out.
	Commands bool
	// Defaults is the task that each line begins as: what a line names replaces what
	// stands here, of variables and labels each by its name. A Key here gives the lines
	// without one the keys Key:1, Key:2 …, by their numbers.
	Defaults task.NewTask

	r      *bufio.Reader
	number int
	ended  bool
}

// Line is one line: a task that has passed its check, or what is wrong with it. Its
// standard input may still be larger than what rides in a task.
type Line struct {
	Number int // from 1
	Task   task.NewTask
	Err    error
}

// NewLines reads from r.
func NewLines(r io.Reader) *Lines {
	return &Lines{r: bufio.NewReaderSize(r, 256<<10), Defaults: task.NewTask{Spec: task.Spec{Priority: task.PriorityNormal}}}
}

// Next returns the next line, or false after the last one. A line that cannot be
// read is returned with its error, and reading goes on if it can. When ctx ends
// within a line, that line has the error.
func (l *Lines) Next(ctx context.Context) (Line, bool) {
	for !l.ended {
		l.number++
		text, err := l.readLine(ctx)
		if l.number == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff")) // as some editors begin a file
		}
		l.ended = err != nil && !errors.Is(err, errLongLine)
		text = bytes.TrimSpace(text)
		failed := err != nil && !errors.Is(err, io.EOF)
		if !failed && (len(text) == 0 || l.Commands && text[0] == '#') {
			continue
		}
		line := Line{Number: l.number}
		line.Task, line.Err = l.parse(text, err)
		return line, true
	}
	return Line{}, false
}

var (
	errLongLine    = errors.New("the line is too long")
	errEndlessLine = errors.New("this is not a file of tasks, one a line")
)

// endlessLine is how long a line may be that is passed over.
const endlessLine = 4 * MaxDocument

// readLine reads a line, keeping at most what a task may have.
func (l *Lines) readLine(ctx context.Context) ([]byte, error) {
	var line []byte
	total := 0
	for long := false; ; {
		part, err := l.r.ReadSlice('\n')
		if total += len(part); total > endlessLine {
			return nil, errEndlessLine
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if len(line)+len(part) > MaxDocument {
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

func (l *Lines) parse(text []byte, err error) (task.NewTask, error) {
	switch {
	case errors.Is(err, errLongLine):
		return task.NewTask{}, task.Errorf(task.KindTooLarge, "the line is longer than %d MiB", MaxDocument>>20)
	case errors.Is(err, errEndlessLine):
		return task.NewTask{}, task.Errorf(task.KindTooLarge, "the line is longer than %d MiB: %w", endlessLine>>20, err)
	case err != nil && !errors.Is(err, io.EOF):
		return task.NewTask{}, task.Errorf(task.KindUsage, "read: %w", err)
	}
	n := l.begin()
	if l.Commands && text[0] != '{' {
		n.Spec.Shell = string(text)
	} else if n, err = readTaskOver(n, text); err != nil {
		return n, err
	}
	if n.Key == "" && l.Defaults.Key != "" {
		n.Key = fmt.Sprintf("%s:%d", l.Defaults.Key, l.number)
		if err := task.CheckKey(n.Key); err != nil {
			return n, err
		}
	}
	return n, n.CheckButStdin()
}

// begin is a copy of the defaults whose maps and lists are its own.
func (l *Lines) begin() task.NewTask {
	n := l.Defaults
	n.Key = ""
	n.Spec.Env, n.Spec.Need.Labels = maps.Clone(n.Spec.Env), maps.Clone(n.Spec.Need.Labels)
	n.Spec.Tags, n.Spec.RetryOn = slices.Clone(n.Spec.Tags), slices.Clone(n.Spec.RetryOn)
	return n
}
