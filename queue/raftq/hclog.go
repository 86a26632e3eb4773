package raftq

import (
	"io"
	"log"
	"log/slog"
	"strings"

	"github.com/hashicorp/go-hclog"
)

// talk carries raft's own log into slog. What raft calls information is
// debugging to us, and so are elections while there is one voter: it elects
// itself after a timeout.
type talk struct {
	l    *slog.Logger
	lone bool
	name string
	args []any
}

var _ hclog.Logger = talk{}

func (t talk) Log(level hclog.Level, msg string, args ...any) {
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

func (t talk) Trace(string, ...any)          {}
func (t talk) Debug(string, ...any)          {}
func (t talk) Info(msg string, args ...any)  { t.Log(hclog.Info, msg, args...) }
func (t talk) Warn(msg string, args ...any)  { t.Log(hclog.Warn, msg, args...) }
func (t talk) Error(msg string, args ...any) { t.Log(hclog.Error, msg, args...) }
func (t talk) IsTrace() bool                 { return false }
func (t talk) IsDebug() bool                 { return false }
func (t talk) IsInfo() bool                  { return true }
func (t talk) IsWarn() bool                  { return true }
func (t talk) IsError() bool                 { return true }
func (t talk) ImpliedArgs() []any            { return t.args }
func (t talk) With(args ...any) hclog.Logger {
	return talk{t.l.With(args...), t.lone, t.name, append(t.args[:len(t.args):len(t.args)], args...)}
}
func (t talk) Name() string                     { return t.name }
func (t talk) Named(n string) hclog.Logger      { return talk{t.l, t.lone, n, t.args} }
func (t talk) ResetNamed(n string) hclog.Logger { return talk{t.l, t.lone, n, t.args} }
func (t talk) SetLevel(hclog.Level)             {}
func (t talk) GetLevel() hclog.Level            { return hclog.Info }

func (t talk) StandardLogger(*hclog.StandardLoggerOptions) *log.Logger {
	return slog.NewLogLogger(t.l.Handler(), slog.LevelDebug)
}

func (t talk) StandardWriter(*hclog.StandardLoggerOptions) io.Writer {
	return t.StandardLogger(nil).Writer()
}
