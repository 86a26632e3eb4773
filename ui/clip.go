package ui

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	osc52 "github.com/aymanbagabas/go-osc52/v2"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// clipboard copies through the terminal (OSC 52), which also works over SSH;
// where the terminal cannot, or the text is too long for it, into a file.
type clipboard struct {
	out io.Writer
	env func(string) string
	dir string // for the file
}

// maxOSC52 is what terminals commonly take.
const maxOSC52 = 74_000

// able reports whether the terminal may know OSC 52.
func (c clipboard) able(text string) bool {
	term := c.env("TERM")
	return len(text) <= maxOSC52 && term != "linux" && term != "dumb" && term != "" && c.env("TERM_PROGRAM") != "Apple_Terminal"
}

func (c clipboard) copy(v scene.Copy) tea.Msg {
	if c.able(v.Text) {
		seq := osc52.New(v.Text)
		switch {
		case c.env("TMUX") != "":
			seq = seq.Tmux()
		case strings.HasPrefix(c.env("TERM"), "screen"):
			seq = seq.Screen()
		}
		if _, err := seq.WriteTo(c.out); err == nil {
			return sayMsg{theme.OK, "copied through the terminal: " + v.What}
		}
	}
	path, err := c.file(v.Text)
	if err != nil {
		return sayMsg{theme.Err, "copy: " + err.Error()}
	}
	return sayMsg{theme.OK, fmt.Sprintf("written to %s: %s", path, v.What)}
}

func (c clipboard) file(text string) (string, error) {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(c.dir, "clipboard.txt")
	return path, os.WriteFile(path, []byte(text+"\n"), 0o600)
}
