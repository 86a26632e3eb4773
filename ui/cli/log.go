package cli

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// logMode is where log lines go unless a file was given.
type logMode int

const (
	quietLog  logMode = iota // a verb: only errors, on standard error
	serverLog                // a node without a screen: on standard error
	screenLog                // something is drawn: nowhere but the ring
)

// ringLines is how many log lines are remembered for a screen.
const ringLines = 2000

// Ring remembers the newest log lines. It may be used from many goroutines.
type Ring struct {
	mu    sync.Mutex
	lines []string
	next  int
	total uint64
}

// NewRing makes a ring for n lines.
func NewRing(n int) *Ring { return &Ring{lines: make([]string, 0, n)} }

// Write takes one or more whole lines, as a slog handler writes them.
func (r *Ring) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for l := range strings.SplitSeq(strings.TrimSuffix(string(p), "\n"), "\n") {
		r.total++
		if len(r.lines) < cap(r.lines) {
			r.lines = append(r.lines, l)
			continue
		}
		r.lines[r.next] = l
		r.next = (r.next + 1) % len(r.lines)
	}
	return len(p), nil
}

// Lines gives the remembered lines, oldest first, and how many there ever were.
func (r *Ring) Lines() ([]string, uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]string, 0, len(r.lines))
	out = append(out, r.lines[r.next:]...)
	return append(out, r.lines[:r.next]...), r.total
}

// Logs is the ring of this process.
var Logs = NewRing(ringLines)

// logSetup is where the log goes.
type logSetup struct {
	file   *os.File
	closed bool
}

func (l *logSetup) close() {
	if l.file != nil && !l.closed {
		l.closed = true
		_ = l.file.Close() // every line was written when it was logged
	}
}

// logFor sends the log of the whole process, the standard library's log
// package included, where the configuration and the mode say. It is called
// once; later calls change nothing.
func (env *environment) logFor(cfg *config.Loaded, mode logMode) {
	if env.log != nil {
		return
	}
	if err := env.openLog(cfg, mode); err != nil {
		env.out.warn("warning: %s", text.CleanLine(err.Error()))
	}
	for _, w := range cfg.Warnings {
		slog.Warn(w)
	}
}

func (env *environment) openLog(cfg *config.Loaded, mode logMode) error {
	env.log = &logSetup{}
	level := logLevel(cfg.LevelName())
	var w io.Writer = env.Stderr
	switch {
	case mode == screenLog:
		w = Logs
	case mode == quietLog && cfg.LogFile == "" && !cfg.Given("log-level") && !cfg.Verbose:
		level = slog.LevelError
	}
	var err error
	if cfg.LogFile != "" {
		env.log.file, err = os.OpenFile(cfg.LogFile, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		switch {
		case err != nil:
			err = task.Errorf(task.KindUsage, "--log-file: %w; logging goes on without it", err)
		case mode == screenLog:
			w = io.MultiWriter(Logs, &logFile{file: env.log.file, complain: io.Discard})
		default:
			w = &logFile{file: env.log.file, complain: env.Stderr}
		}
	}
	if mode == serverLog && cfg.LogFile == "" {
		w = io.MultiWriter(Logs, lossy{env.Stderr})
	}
	slog.SetDefault(slog.New(logHandler(w, cfg.LogFormat, level)))
	return err
}

// logFile is a log that says once when it cannot be written. It never fails.
type logFile struct {
	file     *os.File
	complain io.Writer
	once     sync.Once
}

// Write writes if it can.
func (l *logFile) Write(p []byte) (int, error) {
	if _, err := l.file.Write(p); err != nil {
		l.once.Do(func() {
			fmt.Fprintf(l.complain, "warning: --log-file: %v; lines are lost from here on\n", err)
		})
	}
	return len(p), nil
}

// lossy never fails: a node whose terminal went away carries on.
type lossy struct{ io.Writer }

// Write writes if it can.
func (l lossy) Write(p []byte) (int, error) {
	_, _ = l.Writer.Write(p)
	return len(p), nil
}

func logHandler(w io.Writer, format string, level slog.Level) slog.Handler {
	o := &slog.HandlerOptions{Level: level, ReplaceAttr: shortTime}
	if format == "json" {
		return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})
	}
	return slog.NewTextHandler(w, o)
}

// shortTime cuts times in text lines to milliseconds.
func shortTime(groups []string, at slog.Attr) slog.Attr {
	if len(groups) == 0 && at.Key == slog.TimeKey {
		at.Value = slog.StringValue(at.Value.Time().Format("2006-01-02T15:04:05.000Z07:00"))
	}
	return at
}

func logLevel(name string) slog.Level {
	switch name {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	return slog.LevelInfo
}
