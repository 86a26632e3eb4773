package ui

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"

	"github.com/adauldev/octaskly/ui/part"
)

// painter writes frames to the terminal, each at once, and of a frame what is
// different from the one before. Bubble Tea's own renderer looks seventy times
// a second whether there is something to write, which costs more than all else
// that a screen at rest does, and it writes whole lines; it keeps the
// terminal's modes.
type painter struct {
	out   io.Writer
	lines []string  // what is on the terminal; nil is not known
	at    time.Time // of the last frame
}

// between is the least time between two frames.
const between = 14 * time.Millisecond

// early is how long a frame has to wait at a time.
func (p *painter) early(now time.Time) time.Duration { return between - now.Sub(p.at) }

// forget makes the next frame a whole one.
func (p *painter) forget() { p.lines = nil }

// paint makes the terminal show the lines, each as wide as it.
func (p *painter) paint(lines []string, now time.Time) {
	var b []byte
	if len(p.lines) != len(lines) {
		b = append(b, ansi.EraseEntireScreen...)
		p.lines = make([]string, len(lines))
	}
	for i, l := range lines {
		b = part.Delta(b, i+1, p.lines[i], l)
	}
	p.lines, p.at = lines, now
	if len(b) > 0 {
		_, _ = p.out.Write(b)
	}
}

// locked is an output that may be written by the painter, Bubble Tea and the
// clipboard at the same time; each write is whole.
type locked struct {
	mu    sync.Mutex
	w     io.Writer
	count *atomic.Int64 // bytes written
}

func lock(w io.Writer, count *atomic.Int64) *locked { return &locked{w: w, count: count} }

// Write writes one piece.
func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.w.Write(p)
	l.count.Add(int64(n))
	return n, err
}

// modes is the output as Bubble Tea has it: what it says about the terminal's
// modes is written, its frames, which are empty, are not.
type modes struct{ *locked }

// Write writes one piece unless it is a frame, which begins at the top left
// and goes on.
func (m modes) Write(p []byte) (int, error) {
	if len(p) > len(ansi.CursorHomePosition) && bytes.HasPrefix(p, []byte(ansi.CursorHomePosition)) {
		return len(p), nil
	}
	return m.locked.Write(p)
}

// modesFile keeps what makes a terminal a terminal.
type modesFile struct {
	modes
	f term.File
}

func modesOf(l *locked) io.Writer {
	if f, ok := l.w.(term.File); ok {
		return modesFile{modes{l}, f}
	}
	return modes{l}
}

// Fd is the terminal's descriptor.
func (m modesFile) Fd() uintptr { return m.f.Fd() }

// Read reads from the terminal.
func (m modesFile) Read(p []byte) (int, error) { return m.f.Read(p) }

// Close closes the terminal.
func (m modesFile) Close() error { return m.f.Close() }
