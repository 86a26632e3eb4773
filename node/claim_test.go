package node

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/home"
	"github.com/adauldev/octaskly/queue/task"
)

// TestOneOfManyDispatchers: of dispatchers that one user starts at once, one begins
// a cluster and the others say why they do not.
func TestOneOfManyDispatchers(t *testing.T) {
	dir := t.TempDir()
	cfg := config.Default()
	opt := Options{Config: &cfg, Role: task.RoleDispatcher, Paths: config.Paths{
		Data: dir, Cluster: filepath.Join(dir, "cluster"), Nodes: filepath.Join(dir, "nodes"), State: filepath.Join(dir, "state"),
	}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var wg sync.WaitGroup
	turns := make(chan *home.Turn, 5)
	slots := make(chan *home.Slot, 5)
	for range 5 {
		wg.Go(func() {
			slot, turn, err := claim(ctx, opt)
			if err == nil {
				slots <- slot
				turns <- turn
			} else if task.KindOf(err) != task.KindConflict || task.HintOf(err) == "" {
				t.Errorf("refused with %v", err)
			}
		})
	}
	wg.Wait()
	if len(slots) != 1 || len(home.Places(opt.Paths.Nodes)) != 1 {
		t.Fatalf("%d dispatchers begin, in %d directories; want 1 in 1", len(slots), len(home.Places(opt.Paths.Nodes)))
	}
	(<-turns).End()
	(<-slots).Release()
	slot, turn, err := claim(t.Context(), opt)
	if err != nil || slot.Number != 1 {
		t.Fatalf("after that one ended: %v", err)
	}
	turn.End()
	slot.Release()
}
