package cli

import (
	"io"
	"os"

	"golang.org/x/term"

	"github.com/adauldev/octaskly/queue/task"
)

// isTerminal reports whether w or r is a terminal.
func isTerminal(v any) bool {
	f, ok := v.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// terminalWidth is the width of standard output; 0 when it is no terminal.
func (env *environment) terminalWidth() int {
	f, ok := env.Stdout.(*os.File)
	if !ok {
		return 0
	}
	w, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return w
}

// requireTerminal refuses to draw where nobody could see it.
func requireTerminal(env *environment) error {
	if isTerminal(env.Stdout) && isTerminal(env.Stdin) {
		return nil
	}
	return task.Errorf(task.KindUsage, "the dashboard needs a terminal").
		WithHint("for text instead: octaskly status, octaskly top")
}

// isPiped reports whether somebody sends us something on standard input: it is
// a pipe or a file, not a terminal or a device.
func isPiped(r io.Reader) bool {
	f, ok := r.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil {
		return false
	}
	m := info.Mode()
	return m&os.ModeNamedPipe != 0 || m.IsRegular()
}
