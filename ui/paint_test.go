package ui

import (
	"bytes"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/node/demo"
	"github.com/adauldev/octaskly/theme"
)

// A frame is written at once, the next one not sooner than anybody could see,
// and where nothing changed nothing is written.
func TestFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th, _ := theme.Builtin("dark", true)
		a, err := newApp(Options{Control: demo.New(demo.Options{Seed: 7}), Styles: theme.NewStyles(th, theme.ANSI256, false), Demo: true})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		var due time.Duration
		a.paint.out, a.later = &out, func(d time.Duration) { due = d }
		step := func(m tea.Msg) int {
			out.Reset()
			a.Update(m)
			a.View()
			return out.Len()
		}
		whole := step(tea.WindowSizeMsg{Width: 80, Height: 24})
		if whole < 80*20 || !strings.Contains(out.String(), "octaskly") {
			t.Errorf("the first frame has %d bytes", whole)
		}
		if n := step(keyMsg("2")); n != 0 || due != between {
			t.Errorf("a key at the same moment: %d bytes, the rest due in %v", n, due)
		}
		time.Sleep(due)
		if n := step(lateMsg{}); n == 0 || n > whole/2 {
			t.Errorf("what was late: %d bytes of %d", n, whole)
		}
		time.Sleep(time.Second)
		if n := step(keyMsg("2")); n != 0 {
			t.Errorf("nothing changed, but %d bytes were written", n)
		}
		a.paint.forget()
		time.Sleep(time.Second)
		if n := step(keyMsg("2")); n < whole/2 {
			t.Errorf("after a whole one was wanted: %d bytes", n)
		}
	})
}

// Bubble Tea's modes reach the terminal, its own frames do not.
func TestModes(t *testing.T) {
	var out bytes.Buffer
	var n atomic.Int64
	w := modesOf(lock(&out, &n))
	for _, s := range []string{"\x1b[?1049h", "\x1b[2J", "\x1b[H", "\x1b[H\r \x1b[K\x1b[1;0H", "\x1b[?25l"} {
		if k, err := w.Write([]byte(s)); k != len(s) || err != nil {
			t.Errorf("%q: %d, %v", s, k, err)
		}
	}
	if got := out.String(); got != "\x1b[?1049h\x1b[2J\x1b[H\x1b[?25l" || n.Load() != int64(out.Len()) {
		t.Errorf("%q, %d counted", got, n.Load())
	}
}
