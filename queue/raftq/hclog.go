package raftq

import (
	"io"
	"log"
	"log/slog"
	"strings"

	"github.com/hashicorp/go-hclog"
)

// raftLogger carries raft's own log into slog. What raft calls information is
// debugging to us, and so are elections while there is one voter: it elects
// itself after a timeout.
type raftLogger struct {
	l    *slog.Logger
	lone bool
	name string
	args []any
}

var _ hclog.Logger = raftLogger{}

func (t raftLogger) Log(level hclog.Level, msg string, args ...any) {
	for i, a := range args {
		if f, ok := a.(hclog.Format); ok && len(f) > 0 {
			args[i] = f[len(f)-1]
		}
	}
	if level == hclog.Warn && t.lone && strings.HasPrefix(msg, "heartbeat timeout reached") {
		level = hclog.Info
	}
	switch level {
	case hclog.Error:
		t.l.Error("raft: "+msg, args...)
	case hclog.Warn:
		t.l.Warn("raft: "+msg, args...)
	case hclog.Info:
		t.l.Debug("raft: "+msg, args...)
	}
}

func (t raftLogger) Trace(string, ...any)          {}
func (t raftLogger) Debug(string, ...any)          {}
func (t raftLogger) Info(msg string, args ...any)  { t.Log(hclog.Info, msg, args...) }
func (t raftLogger) Warn(msg string, args ...any)  { t.Log(hclog.Warn, msg, args...) }
func (t raftLogger) Error(msg string, args ...any) { t.Log(hclog.Error, msg, args...) }
func (t raftLogger) IsTrace() bool                 { return false }
func (t raftLogger) IsDebug() bool                 { return false }
func (t raftLogger) IsInfo() bool                  { return true }
func (t raftLogger) IsWarn() bool                  { return true }
func (t raftLogger) IsError() bool                 { return true }
func (t raftLogger) ImpliedArgs() []any            { return t.args }
func (t raftLogger) With(args ...any) hclog.Logger {
	return raftLogger{t.l.With(args...), t.lone, t.name, append(t.args[:len(t.args):len(t.args)], args...)}
}
func (t raftLogger) Name() string                     { return t.name }
func (t raftLogger) Named(n string) hclog.Logger      { return raftLogger{t.l, t.lone, n, t.args} }
func (t raftLogger) ResetNamed(n string) hclog.Logger { return raftLogger{t.l, t.lone, n, t.args} }
func (t raftLogger) SetLevel(hclog.Level)             {}
func (t raftLogger) GetLevel() hclog.Level            { return hclog.Info }

func (t raftLogger) StandardLogger(*hclog.StandardLoggerOptions) *log.Logger {
	return slog.NewLogLogger(t.l.Handler(), slog.LevelDebug)
}

func (t raftLogger) StandardWriter(*hclog.StandardLoggerOptions) io.Writer {
	return t.StandardLogger(nil).Writer()
}
