package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/trust"
)

// maxSlots is how many nodes one user may run on one machine.
const maxSlots = 1000

// slot is the directory of one node, locked for as long as it runs.
type slot struct {
	*trust.Dir
	number int // of the slot, from 1; 0 for a directory that was named
	lock   *os.File
}

// errBusy says that another process has a slot.
var errBusy = errors.New("in use by another node")

// holdsQueue reports whether a node's directory has a queue in it.
func holdsQueue(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "raft"))
	return err == nil
}

// errQueueBusy says that the node which has this user's queue runs.
var errQueueBusy = errors.New("the node that has the queue runs")

// claimSlot takes a node directory below nodes. A dispatcher takes the one that
// holds a queue, and fails with errQueueBusy while another process has it: it
// never begins a second queue beside one. Anybody else takes the lowest free
// one without a queue, or the next new one. A named directory is taken as it is.
func claimSlot(nodes, named string, dispatcher bool) (*slot, error) {
	if named != "" {
		s, err := openSlot(named, 0)
		if errors.Is(err, errBusy) {
			return nil, task.Errorf(task.KindConflict, "the node directory %s is in use by a node that runs", named).
				WithHint("stop that node, or name another directory with --node-dir")
		}
		return s, err
	}
	if dispatcher {
		busy := false
		for n := 1; n <= maxSlots; n++ {
			dir := filepath.Join(nodes, strconv.Itoa(n))
			if !holdsQueue(dir) {
				continue
			}
			s, err := openSlot(dir, n)
			if errors.Is(err, errBusy) {
				busy = true
				continue
			}
			return s, err
		}
		if busy {
			return nil, errQueueBusy
		}
	}
	for n := 1; n <= maxSlots; n++ {
		dir := filepath.Join(nodes, strconv.Itoa(n))
		if holdsQueue(dir) {
			continue
		}
		s, err := openSlot(dir, n)
		if errors.Is(err, errBusy) {
			continue
		}
		return s, err
	}
	return nil, task.Errorf(task.KindConflict, "%d nodes of this user run on this machine, which is the most", maxSlots).
		WithHint("stop some of them")
}

// endWait is how long a dispatcher waits for the one before it to end.
const endWait = 15 * time.Second

// claim is claimSlot, with patience: while the node that has the queue is just
// ending it waits, and when it lives it is named.
func claim(ctx context.Context, opt Options) (*slot, error) {
	ctx, cancel := context.WithTimeout(ctx, endWait)
	defer cancel()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for seen := 0; ; {
		s, err := claimSlot(opt.Paths.Nodes, opt.Config.NodeDir, opt.Role == task.RoleDispatcher)
		if !errors.Is(err, errQueueBusy) {
			return s, err
		}
		// Others may still name a dispatcher that is just ending.
		if name, ok := dispatcherHere(ctx, opt.Paths, 0); ok {
			if seen++; seen > 3 {
				return nil, errSecond(name)
			}
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, task.Errorf(task.KindConflict, "the node that has this user's queue runs and does not answer").
				WithHint("stop it, then start this one")
		}
	}
}

func errSecond(name string) error {
	return task.Errorf(task.KindConflict, "node %s of this user dispatches on this machine already", name).
		WithHint("use it: octaskly status\nadd a worker instead: octaskly worker\nor stop it first, then start this one")
}

func openSlot(path string, n int) (*slot, error) {
	d, err := trust.OpenDir(path)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(path, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the node directory %s: %w", path, err)
	}
	if err := lockFile(f); err != nil {
		_ = f.Close()
		return nil, err
	}
	return &slot{Dir: d, number: n, lock: f}, nil
}

func (s *slot) release() {
	if s.lock != nil {
		_ = s.lock.Close()
		s.lock = nil
	}
}
