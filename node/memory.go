package node

import (
	"context"
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

// trimMemory gives unused memory back until ctx ends.
func trimMemory(ctx context.Context) {
	t := time.NewTicker(trimEvery)
	defer t.Stop()
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
		if free+objects-min(objects, live) > trimAbove {
			debug.FreeOSMemory()
		}
	}
}
