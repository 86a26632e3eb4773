package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"

	"github.com/adauldev/octaskly/queue/task"
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
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// table collects rows and prints them aligned, or tab-separated with --plain.
// Cells may hold anything: they are cleaned here.
type table struct {
	head  []string
	right map[int]bool // columns aligned to the right
	rows  [][]string
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// print writes the table. width cuts the last column; 0 does not.
func (p *printer) table(t *table, width int) error {
	if p.plain {
		for _, r := range t.rows {
			for i := range r {
				r[i] = cleanLine(r[i])
			}
			if err := p.line("%s", strings.Join(r, "\t")); err != nil {
				return err
			}
		}
		return nil
	}
	if len(t.rows) == 0 {
		return nil
	}
	_, err := io.WriteString(p.out, layTable(t, width))
	return err
}

func layTable(t *table, width int) string {
	rows := append([][]string{t.head}, t.rows...)
	wide := make([]int, len(t.head))
	for n, r := range rows {
		for i := range r {
			if n > 0 {
				r[i] = cleanLine(r[i])
			}
			wide[i] = max(wide[i], ansi.StringWidth(r[i]))
		}
	}
	var b strings.Builder
	for _, r := range rows {
		at := 0
		for i, cell := range r {
			if i == len(r)-1 {
				if width > at+10 {
					cell = ansi.Truncate(cell, width-at, "…")
				}
				b.WriteString(cell)
				break
			}
			pad := strings.Repeat(" ", wide[i]-ansi.StringWidth(cell))
			if t.right[i] {
				b.WriteString(pad + cell + "  ")
			} else {
				b.WriteString(cell + pad + "  ")
			}
			at += wide[i] + 2
		}
		b.WriteByte('\n')
	}
	return trimLines(b.String())
}

func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// isTerminal reports whether w or r is a terminal.
func isTerminal(v any) bool {
	f, ok := v.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// terminalWidth is the width of standard output; 0 when it is no terminal.
func (a *app) terminalWidth() int {
	f, ok := a.Stdout.(*os.File)
	if !ok {
		return 0
	}
	w, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return w
}

// errorObject is how an error looks with --json.
type errorObject struct {
	Error errorBody `json:"error"`
}

type errorBody struct {
	Code    task.Kind `json:"code"`
	Message string    `json:"message"`
	Hint    *string   `json:"hint"`
}

func errorOf(err error) errorBody {
	b := errorBody{Code: kindOf(err), Message: err.Error()}
	if h := task.HintOf(err); h != "" {
		b.Hint = &h
	}
	return b
}

// kindOf is the kind of an error; one that is not ours is "failed".
func kindOf(err error) task.Kind {
	var known *task.Error
	if errors.As(err, &known) {
		return known.Kind
	}
	return "failed"
}

// sayError prints an error and what to do next.
func (a *app) sayError(err error) {
	var code silent
	if err == nil || errors.As(err, &code) {
		return
	}
	var sig signalled
	if errors.As(err, &sig) {
		return
	}
	if a.out.json {
		_ = writeJSON(a.Stderr, errorObject{errorOf(err)}) // nobody is left to tell
		return
	}
	a.out.warn("error: %s", cleanLines(err.Error()))
	if h := task.HintOf(err); h != "" {
		for l := range strings.SplitSeq(strings.TrimRight(h, "\n"), "\n") {
			a.out.warn("  %s", cleanLine(l))
		}
	}
}

// cleanLines cleans text that may have several lines; further ones are
// indented.
func cleanLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = cleanLine(lines[i])
	}
	return strings.Join(lines, "\n       ")
}

// stamp is a time in JSON: RFC 3339, UTC, milliseconds; null for 0.
func stamp(ms int64) *string { return task.Stamp(ms) }

// ago is how long ago a time was, for a column.
func ago(now time.Time, ms int64) string {
	if ms == 0 {
		return "-"
	}
	return span(now.Sub(time.UnixMilli(ms)))
}

// span is a duration for people, in at most two units.
func span(d time.Duration) string {
	if d < 0 {
		d = 0
	}
	switch {
	case d < time.Second:
		return fmt.Sprintf("%.2fs", d.Seconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
