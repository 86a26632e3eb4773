package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/adauldev/octaskly/queue/task/text"
)

// The rules of plain output. What was asked for goes to standard output and
// nothing else does; everything said about it goes to standard error. With
// --json a result is one object, or one object a line, and errors are objects
// too. With --plain it is tab-separated without a heading. With --quiet only
// numbers and names are printed. Nothing is coloured: what matters is in words.

// printer writes results and talk.
type printer struct {
	out, err io.Writer
	json     bool
	plain    bool
	quiet    bool
}

// line prints one line of a result.
func (p *printer) line(format string, a ...any) error {
	_, err := fmt.Fprintf(p.out, format+"\n", a...)
	return err
}

// say tells the person something that is no result.
func (p *printer) say(format string, a ...any) {
	if !p.quiet {
		p.warn(format, a...)
	}
}

// warn is say for what must be told although --quiet was given.
func (p *printer) warn(format string, a ...any) {
	fmt.Fprintf(p.err, format+"\n", a...)
}

// object prints one JSON object on a line of its own.
func (p *printer) object(v any) error { return writeJSON(p.out, v) }

func writeJSON(w io.Writer, v any) error {
	b, err := text.JSON(v)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// cleanLines cleans text that may have several lines; further ones are
// indented.
func cleanLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = text.CleanLine(lines[i])
	}
	return strings.Join(lines, "\n       ")
}
