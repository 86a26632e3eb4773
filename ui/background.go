package ui

import (
	"io"

	"github.com/charmbracelet/x/term"
	"github.com/muesli/termenv"
)

// darkBackground asks the terminal once what its background is. A terminal
// that cannot say counts as dark.
func darkBackground(w io.Writer) bool {
	f, ok := w.(term.File)
	if !ok || !term.IsTerminal(f.Fd()) {
		return true
	}
	return termenv.NewOutput(w).HasDarkBackground()
}
