package tuning

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Memory that a burst of work left behind is given back to the system when it
// is more than trimAbove, at most once in trimEvery: a node is a guest on
// somebody's machine.
const (
	trimEvery = 5 * time.Second
	trimAbove = 16 << 20
)

// Trim gives unused memory back and adapts the garbage collector to the live
// heap, until ctx ends.
func Trim(ctx context.Context) {
	t := time.NewTicker(trimEvery)
	defer t.Stop()
	percent := 0
	s := []metrics.Sample{
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/heap/live:bytes"},
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		metrics.Read(s)
		free, objects, live := s[0].Value.Uint64(), s[1].Value.Uint64(), s[2].Value.Uint64()
		if p := gcPercent(live); p != percent && os.Getenv("GOGC") == "" {
			percent = p
			debug.SetGCPercent(p)
		}
		if free+objects-min(objects, live) > trimAbove {
			debug.FreeOSMemory()
		}
	}
}

// A heap may grow by gcHeadroom before it is collected, or by two fifths if that
// is more. A queue of a million tasks lives in memory for long, and the usual
// rule would let its garbage take as much again. A heap of a few MiB, as a
// worker's, may grow by gcLeast: else short tasks have it collected many times a
// second.
const (
	gcHeadroom = 64 << 20
	gcLeast    = 8 << 20
)

// gcPercent is the garbage collector's target for this much live heap, in steps
// so that it seldom changes.
func gcPercent(live uint64) int {
	switch {
	case live <= gcLeast/3:
		return 300
	case live <= gcLeast:
		return int(100*gcLeast/live) / 5 * 5
	case live <= gcHeadroom:
		return 100
	}
	p := int(100 * gcHeadroom / live)
	return max(40, p-p%5)
}
