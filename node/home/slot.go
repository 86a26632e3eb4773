// Package home is the folders of one user: a numbered slot for each node, the
// lock that keeps two processes out of one slot, and the small files by which a
// node is found again. It opens no connection.
package home

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/trust"
)

// maxSlots is how many nodes one user may run on one machine.
const maxSlots = 1000

// Slot is the directory of one node, locked for as long as it runs.
type Slot struct {
	*trust.Dir
	Number    int    // from 1; 0 for a directory that was named
	MovedFrom string // the other machine on which it was used last, if it was one
	lock      *os.File
}

var (
	// ErrBusy says that another process has a slot.
	ErrBusy = errors.New("in use by another node")
	// ErrQueueBusy says that the node which has this user's queue runs.
	ErrQueueBusy = errors.New("the node that has the queue runs")
)

// HoldsQueue reports whether a node's directory has a queue in it.
func HoldsQueue(dir string) bool { return has(dir, "raft") }

// HoldsMembership reports whether the node of a directory was let into a cluster.
func HoldsMembership(dir string) bool { return has(dir, "membership") }

// HoldsIdentity reports whether a node was ever started in a directory.
func HoldsIdentity(dir string) bool { return has(dir, "identity") }

func has(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// Place is a slot's number and directory, whoever has it.
type Place struct {
	Number int
	Dir    string
}

// Places lists the slots below nodes that there are, in no order.
func Places(nodes string) []Place {
	entries, _ := os.ReadDir(nodes) // none before the first start
	var all []Place
	for _, e := range entries {
		if number, err := strconv.Atoi(e.Name()); err == nil {
			all = append(all, Place{number, filepath.Join(nodes, e.Name())})
		}
	}
	return all
}

// Claim takes a node directory below nodes for a machine (see Machine). A
// dispatcher takes the one that holds a queue, and fails with ErrQueueBusy while
// another process has it: it never begins a second queue beside one. Anybody else
// takes the lowest free one without a queue in which this machine's nodes worked,
// else the lowest that is no other machine's. A named directory is taken as it is.
func Claim(nodes, named string, dispatcher bool, machine string) (*Slot, error) {
	s, err := claim(nodes, named, dispatcher, machine)
	if err != nil {
		return nil, err
	}
	if err := s.settle(machine); err != nil {
		s.Release()
		return nil, err
	}
	return s, nil
}

func claim(nodes, named string, dispatcher bool, machine string) (*Slot, error) {
	if named != "" {
		s, err := Open(named, 0)
		if errors.Is(err, ErrBusy) {
			return nil, task.Errorf(task.KindConflict, "the node directory %s is in use by a node that runs", named).
				WithHint("stop that node, or name another directory with --node-dir")
		}
		return s, err
	}
	ours := func(dir string) bool { return machine != "" && usedOn(dir) == machine }
	nobodys := func(dir string) bool { return machine == "" || usedOn(dir) == "" }
	if dispatcher {
		for _, whose := range []func(string) bool{ours, nobodys, func(string) bool { return true }} {
			s, err := claimWhere(nodes, func(dir string) bool { return HoldsQueue(dir) && whose(dir) })
			if s != nil || err != nil {
				return s, err
			}
		}
	}
	for _, whose := range []func(string) bool{ours, nobodys} {
		s, err := claimWhere(nodes, func(dir string) bool { return !HoldsQueue(dir) && whose(dir) })
		if s != nil || err != nil {
			return s, err
		}
	}
	return nil, task.Errorf(task.KindConflict, "%d nodes of this user run on this machine, which is the most", maxSlots).
		WithHint("stop some of them")
}

// claimWhere takes the lowest free slot that fits. It is nil when there is none,
// with ErrQueueBusy when processes have all that hold a queue.
func claimWhere(nodes string, fits func(dir string) bool) (*Slot, error) {
	var busy error
	for number := 1; number <= maxSlots; number++ {
		dir := filepath.Join(nodes, strconv.Itoa(number))
		if !fits(dir) {
			continue
		}
		s, err := Open(dir, number)
		if !errors.Is(err, ErrBusy) {
			return s, err
		}
		if HoldsQueue(dir) {
			busy = ErrQueueBusy
		}
	}
	return nil, busy
}

// Open takes a directory, which is made when it is missing, as the slot with a
// number. It fails with ErrBusy while another process has it.
func Open(path string, number int) (*Slot, error) {
	d, err := trust.OpenDir(path)
	if err != nil {
		return nil, err
	}
	f, err := lock(path)
	if err != nil {
		return nil, err
	}
	return &Slot{Dir: d, Number: number, lock: f}, nil
}

// Release gives the slot back. It may be called more than once.
func (s *Slot) Release() {
	if s.lock != nil {
		_ = s.lock.Close()
		s.lock = nil
	}
}

// lock takes the lock of a directory until the file is closed or the process
// ends.
func lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the directory %s: %w", dir, err)
	}
	if err := lockFile(f); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
