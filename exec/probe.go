package exec

import "context"

// Probe finds out what can be contained on this machine, by trying it. It
// takes no options: what a worker chooses to offer is a narrower matter.
func Probe(ctx context.Context) Capabilities {
	caps := Capabilities{}
	for i := range caps.Levels {
		caps.Levels[i] = LevelInfo{Level: Level(i), Reason: "not built for this system"}
	}
	probePlatform(ctx, &caps)
	return caps
}
