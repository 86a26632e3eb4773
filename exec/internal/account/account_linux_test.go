package account

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestWrittenIn(t *testing.T) {
	for text, want := range map[string]int64{"rchar: 5\nwchar: 17\nsyscr: 1\n": 17, "": 0, "wchar: x": 0, "wchar: -1": 0} {
		if got := writtenIn([]byte(text)); got != want {
			t.Errorf("%q gives %d, want %d", text, got, want)
		}
	}
}

// TestCountDisk counts what is there, opens what its owner shut in a command's own
// directory, and says so when a tree is deeper than it looks.
func TestCountDisk(t *testing.T) {
	dir := t.TempDir()
	shut := filepath.Join(dir, "shut")
	if err := os.Mkdir(shut, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{filepath.Join(dir, "a"), filepath.Join(shut, "b")} {
		if err := os.WriteFile(file, make([]byte, 1<<20), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(filepath.Join(dir, "a"), filepath.Join(dir, "same")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(shut, 0); err != nil {
		t.Fatal(err)
	}
	u := CountDisk(dir, true, nil)
	if u.Deep || u.Bytes < 2<<20 || u.Bytes > 2<<20+1<<16 {
		t.Errorf("two files of 1 MiB are %+v", u)
	}
	ended := make(chan struct{})
	close(ended)
	if u := CountDisk(dir, true, ended); u.Bytes != 0 {
		t.Errorf("it counts on when ended: %+v", u)
	}
	if err := os.Chmod(shut, 0o700); err != nil {
		t.Fatal(err)
	}
	at, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	for range MaxDiskDepth + 2 {
		if err := at.Mkdir("d", 0o700); err != nil {
			t.Fatal(err)
		}
		next, err := at.OpenRoot("d")
		if err != nil {
			t.Fatal(err)
		}
		at.Close()
		at = next
	}
	at.Close()
	if u := CountDisk(dir, true, nil); !u.Deep {
		t.Errorf("%d folders one in the other: %+v", MaxDiskDepth+2, u)
	}
}

// TestGroupsSayWhatTheyKeep needs no control groups: what is not there keeps nothing.
func TestGroupsSayWhatTheyKeep(t *testing.T) {
	all := Limits{MemoryBytes: 1, Processes: 1, CPUTime: time.Second}
	for _, tt := range []struct {
		groups                 *Groups
		limits                 Limits
		keep                   bool
		memory, processes, cpu string
	}{
		{&Groups{}, all, false, "", "", ""},
		{&Groups{version: 2, memory: "/m"}, all, true, "cgroup2", "", ""},
		{&Groups{version: 1, pids: "/p"}, Limits{MemoryBytes: 1}, false, "", "cgroup1", ""},
		{&Groups{version: 2, cpu: "/c"}, Limits{CPUTime: 1}, true, "", "", "cgroup2"},
		{&Groups{version: 2, memory: "/m", pids: "/m", cpu: "/m"}, Limits{}, false, "cgroup2", "cgroup2", "cgroup2"},
	} {
		g := tt.groups
		if g.Keep(tt.limits) != tt.keep || g.Memory() != tt.memory || g.Processes() != tt.processes || g.CPU() != tt.cpu {
			t.Errorf("%s keeps %v of %+v", fmt.Sprint(g.Memory(), g.Processes(), g.CPU()), !tt.keep, tt.limits)
		}
	}
}

// TestAGroupLimitsAndCounts uses what this machine has.
func TestAGroupLimitsAndCounts(t *testing.T) {
	groups := OpenGroups()
	defer groups.Close()
	limits := Limits{MemoryBytes: 1 << 30, Processes: 100, CPUTime: time.Hour}
	if !groups.Keep(limits) {
		t.Skip("there are no control groups here")
	}
	g, err := groups.Open(limits)
	if err != nil {
		t.Fatal(err)
	}
	if g.Keeps(MemoryLimit) != (groups.Memory() != "") || g.Keeps(ProcessLimit) != (groups.Processes() != "") || g.Keeps(NoLimit) {
		t.Errorf("it keeps memory: %v, processes: %v", g.Keeps(MemoryLimit), g.Keeps(ProcessLimit))
	}
	if hit := g.Hit(); hit != NoLimit {
		t.Errorf("an empty group has hit %d", hit)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}
