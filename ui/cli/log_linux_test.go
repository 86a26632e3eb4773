package cli

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/adauldev/octaskly/node/config"
)

// A log that cannot be written is complained of once, and nothing else fails.
func TestALogFileThatIsFull(t *testing.T) {
	before := slog.Default()
	defer slog.SetDefault(before)
	var said strings.Builder
	a := &environment{Program: Program{Stderr: &said}}
	cfg := &config.Loaded{}
	cfg.LogFile = "/dev/full"
	if err := a.openLog(cfg, serverLog); err != nil {
		t.Fatal(err)
	}
	defer a.log.close()
	slog.Error("one")
	slog.Error("two")
	if got := said.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "no space left") {
		t.Errorf("said %q", got)
	}
}
