package exec

import (
	"context"
	"os"
)

// Probe finds out what can be contained on this machine, by trying it. What a
// worker chooses to offer is a narrower matter. Nothing is left changed.
func Probe(ctx context.Context) Capabilities {
	var none Capabilities
	for i := range none.Levels {
		none.Levels[i] = LevelInfo{Level: Level(i), Reason: "it could not be tried"}
	}
	if ctx.Err() != nil {
		return none
	}
	dir, err := os.MkdirTemp("", "octaskly-probe-")
	if err != nil {
		return none
	}
	defer os.RemoveAll(dir)
	r, err := NewRunner(Options{WorkRoot: dir, Levels: []Level{None, Basic, Strict, VeryStrict}})
	if err != nil {
		return none
	}
	defer func() { _ = r.Close() }()
	return r.caps
}
