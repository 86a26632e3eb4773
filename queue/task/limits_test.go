package task

import (
	"strings"
	"testing"
	"time"
)

// TestLimitsAreChecked: what no task can mean is refused by the name of its
// field, and what can be meant is not.
func TestLimitsAreChecked(t *testing.T) {
	good := Limits{CPUTime: time.Hour, OpenFiles: MinOpenFiles, Processes: 4, OutputMB: 1}
	for _, tc := range []struct {
		change func(*Spec)
		want   string
	}{
		{func(*Spec) {}, ""},
		{func(s *Spec) { s.Need.Limits = Limits{} }, ""},
		{func(s *Spec) { s.Need.CPU = 4000 }, ""},
		{func(s *Spec) { s.Need.Limits.CPUTime = -1 }, "cpu_time_limit"},
		{func(s *Spec) { s.Need.Limits.CPUTime = MaxCPUTime + 1 }, "cpu_time_limit"},
		{func(s *Spec) { s.Need.Limits.CPUTime = 1 }, "too short"},
		{func(s *Spec) { s.Need.Limits.OpenFiles = -1 }, "max_open_files"},
		{func(s *Spec) { s.Need.Limits.OpenFiles = MinOpenFiles - 1 }, "too few"},
		{func(s *Spec) { s.Need.Limits.OpenFiles = MaxOpenFiles + 1 }, "max_open_files"},
		{func(s *Spec) { s.Need.Limits.Processes = -1 }, "max_processes"},
		{func(s *Spec) { s.Need.Limits.Processes = MaxProcesses + 1 }, "max_processes"},
		{func(s *Spec) { s.Need.CPU = 4001 }, "contradict"},
		{func(s *Spec) { s.Need.Limits.OutputMB = -1 }, "output_limit_mb"},
		{func(s *Spec) { s.Need.Limits.OutputMB = MaxOutputMB + 1 }, "output_limit_mb"},
	} {
		s := Spec{Shell: "true", Priority: PriorityNormal, Need: Need{Limits: good}}
		tc.change(&s)
		err := s.Check()
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%+v is refused: %v", s.Need, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want) || KindOf(err) != KindUsage):
			t.Errorf("%+v: %v, want %q", s.Need, err, tc.want)
		}
	}
}

// TestLimited: the limits that a need asks for, in words; Unlimited agrees.
func TestLimited(t *testing.T) {
	all := Need{MemoryMB: 64, DiskMB: 1, Limits: Limits{CPUTime: 90 * time.Second, OpenFiles: 32, Processes: 9, OutputMB: 2}}
	got := all.Limited()
	want := []Limit{{LimitMemory, "64 MiB"}, {LimitCPU, "1m30s"}, {LimitDisk, "1 MiB"}, {LimitFiles, "32"}, {LimitProcesses, "9"}, {LimitOutput, "2 MiB"}}
	if len(got) != len(want) || all.Unlimited() {
		t.Fatalf("%v", got)
	}
	for i := range want {
		if got[i] != want[i] || got[i].Name != LimitNames[i] {
			t.Errorf("limit %d is %v, want %v", i, got[i], want[i])
		}
	}
	if none := (Need{CPU: 3000, GPUs: 1}); !none.Unlimited() || none.Limited() != nil {
		t.Errorf("a need without limits has %v", none.Limited())
	}
}

// TestKeeps: what a worker says about limits is cut to what can be shown.
func TestKeeps(t *testing.T) {
	var c Capacity
	if !c.Keeps(LimitDisk) {
		t.Error("a worker that says nothing is not believed")
	}
	c = Capacity{Limits: []Guard{{Name: LimitDisk}, {Name: LimitCPU, By: "poll"}}, Kill: "a\x1b[2J"}
	for name, keeps := range map[string]bool{LimitDisk: false, LimitCPU: true, LimitMemory: false} {
		if c.Keeps(name) != keeps {
			t.Errorf("%s: %v", name, !keeps)
		}
	}
	for range 100 {
		c.Levels = append(c.Levels, Guard{Name: strings.Repeat("ä", 100), By: "x\ny", Why: strings.Repeat("z", 10_000)})
	}
	c.Bound()
	if len(c.Levels) != maxGuards || len(c.Levels[0].Name) > 32 || c.Levels[0].By != "x?y" || len(c.Levels[0].Why) != maxGuardText || c.Kill != "a?[2J" {
		t.Errorf("%d levels, the first %.80v, kill %q", len(c.Levels), c.Levels[0], c.Kill)
	}
}
