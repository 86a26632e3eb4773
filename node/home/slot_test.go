package home

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
)

func TestClaimSlot(t *testing.T) {
	for _, tc := range []struct {
		name       string
		queues     []int // slots that hold a queue
		busy       []int
		dispatcher bool
		want       int
	}{
		{name: "first of all", want: 1},
		{name: "first dispatcher", dispatcher: true, want: 1},
		{name: "a worker leaves the queue alone", queues: []int{1}, want: 2},
		{name: "a dispatcher takes the queue", queues: []int{3}, dispatcher: true, want: 3},
		{name: "the lowest queue", queues: []int{2, 4}, dispatcher: true, want: 2},
		{name: "the next worker", queues: []int{1}, busy: []int{1, 2}, want: 3},
		{name: "a gap is used", busy: []int{1, 3}, want: 2},
		{name: "another queue is free", queues: []int{1, 2}, busy: []int{1}, dispatcher: true, want: 2},
		{name: "workers came first", busy: []int{1, 2}, dispatcher: true, want: 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			nodes := filepath.Join(t.TempDir(), "nodes")
			for _, n := range tc.queues {
				if err := os.MkdirAll(filepath.Join(nodes, strconv.Itoa(n), "raft"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			for _, n := range tc.busy {
				s, err := Open(filepath.Join(nodes, strconv.Itoa(n)), n)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Release()
			}
			s, err := Claim(nodes, "", tc.dispatcher, "")
			if err != nil {
				t.Fatal(err)
			}
			if s.Number != tc.want {
				t.Errorf("took slot %d, want %d", s.Number, tc.want)
			}
			s.Release()
			again, err := Claim(nodes, "", tc.dispatcher, "")
			if err != nil || again.Number != tc.want {
				t.Errorf("after its release: %v", err)
			}
			again.Release()
		})
	}
}

func TestNamedSlotInUse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mine")
	s, err := Claim(t.TempDir(), dir, false, "")
	if err != nil || s.Number != 0 {
		t.Fatal(err)
	}
	defer s.Release()
	_, err = Claim(t.TempDir(), dir, true, "")
	if task.KindOf(err) != task.KindConflict || !strings.Contains(err.Error(), dir) || !strings.Contains(task.HintOf(err), "--node-dir") {
		t.Errorf("a directory in use: %v (%s)", err, task.HintOf(err))
	}
	if errors.Is(err, ErrBusy) {
		t.Error("the caller would try the next slot")
	}
}

func TestSlotOfOthersIsRefused(t *testing.T) {
	nodes := filepath.Join(t.TempDir(), "nodes")
	dir := filepath.Join(nodes, "1")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if s, err := Claim(nodes, "", false, ""); err == nil {
		s.Release()
		t.Fatal("a directory that the group may read was taken")
	} else if !strings.Contains(err.Error(), dir) {
		t.Errorf("the refusal does not name the directory: %v", err)
	}
	if os.Getuid() != 0 {
		t.Skip("making a directory of another user needs root")
	}
	if err := errors.Join(os.Chmod(dir, 0o700), os.Chown(dir, 65534, 65534)); err != nil {
		t.Fatal(err)
	}
	if s, err := Claim(nodes, "", false, ""); err == nil {
		s.Release()
		t.Fatal("a directory of another user was taken")
	}
}

// TestNoSecondQueue: a dispatcher that starts while the one before it is still
// ending must not begin an empty queue beside the real one.
func TestNoSecondQueue(t *testing.T) {
	nodes := filepath.Join(t.TempDir(), "nodes")
	if err := os.MkdirAll(filepath.Join(nodes, "1", "raft"), 0o700); err != nil {
		t.Fatal(err)
	}
	first, err := Claim(nodes, "", true, "")
	if err != nil {
		t.Fatal(err)
	}
	if s, err := Claim(nodes, "", true, ""); !errors.Is(err, ErrQueueBusy) {
		t.Fatalf("took %v, %v while the queue was in use", s, err)
	}
	if _, err := os.Stat(filepath.Join(nodes, "2")); err == nil {
		t.Error("a second directory was made")
	}
	first.Release()
	if s, err := Claim(nodes, "", true, ""); err != nil || s.Number != 1 {
		t.Errorf("after the first ended: %v, %v", s, err)
	}
}

// TestSlotsOfMachines: machines that share a home each find their own node again,
// in whatever order they start, and no queue is begun beside another's.
func TestSlotsOfMachines(t *testing.T) {
	nodes := filepath.Join(t.TempDir(), "nodes")
	start := func(machine string, dispatcher bool) *Slot {
		t.Helper()
		s, err := Claim(nodes, "", dispatcher, machine)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := map[string]int{}
	for _, machine := range []string{"a", "b", "c"} {
		s := start(machine, false)
		defer s.Release()
		first[machine] = s.Number
		s.Release()
	}
	for _, machine := range []string{"c", "a", "b"} {
		if s := start(machine, false); s.Number != first[machine] || s.MovedFrom != "" {
			t.Errorf("machine %s works in slot %d (from %q), and had %d", machine, s.Number, s.MovedFrom, first[machine])
		} else {
			s.Release()
		}
	}
	if err := os.Mkdir(filepath.Join(nodes, "2", "raft"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := start("c", true)
	if s.Number != 2 || s.MovedFrom != "b" {
		t.Errorf("the dispatcher on another machine took slot %d (from %q)", s.Number, s.MovedFrom)
	}
	if _, err := Claim(nodes, "", true, "b"); !errors.Is(err, ErrQueueBusy) {
		t.Errorf("a second queue beside one in use: %v", err)
	}
	s.Release()
}

func TestMachineOf(t *testing.T) {
	for _, c := range []struct{ id, hostnames, host, want string }{
		{"4711", initialHostnames, "laptop", "4711"}, // renamed by every network
		{"4711", "uts:[4026532412]", "box", "4711/box"},
		{"", "uts:[4026532412]", "box", "box"},
		{"", initialHostnames, "bare", "bare"},
	} {
		if got := machineOf(c.id, c.hostnames, c.host); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
