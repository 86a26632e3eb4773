package sched

import (
	"fmt"
	"strings"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
)

func terms(ts []Term) string {
	var b []string
	for _, t := range ts {
		s := fmt.Sprintf("%s: want %s, have %s", t.Name, t.Want, t.Have)
		if t.Busy {
			s += " (busy)"
		}
		b = append(b, s)
	}
	return strings.Join(b, "; ")
}

func TestFit(t *testing.T) {
	w := worker("mill", 4, 4)
	w.Free = Room{CPU: 1500, MemoryMB: 100, DiskMB: 900, Slots: 1}
	draining := w
	draining.State = Draining
	none := worker("idle", 4, 0)
	bare := worker("bare", 4, 4)
	bare.Cap.Limits = []task.Guard{{Name: task.LimitMemory, By: "poll"}, {Name: task.LimitCPU, Why: "there is nothing"}}
	for _, tt := range []struct {
		name string
		need task.Need
		w    Worker
		want string
	}{
		{"fits", task.Need{}, w, ""},
		{"busy", task.Need{CPU: 2500, MemoryMB: 200}, w, "cpu: want 2.5, have 1.5 free of 4 (busy); memory: want 200 MiB, have 100 MiB free of 1024 MiB (busy)"},
		{"never", task.Need{CPU: 8000, GPUs: 1, DiskMB: 5000}, w, "cpu: want 8, have 4; disk: want 5000 MiB, have 1000 MiB; gpus: want 1, have 0"},
		{
			"words",
			task.Need{On: "x", Labels: map[string]string{"zone": "b", "os": "darwin"}, Sandbox: "very-strict"},
			w,
			"on: want x, have mill; label os: want darwin, have linux; label zone: want b, have not set; sandbox: want very-strict, have basic, strict",
		},
		{"draining", task.Need{}, draining, "state: want up, have draining"},
		{
			"limits",
			task.Need{MemoryMB: 64, Limits: task.Limits{CPUTime: 1e9, Processes: 5}},
			bare,
			"cpu limit: want 1s, have nothing that enforces it; processes limit: want 5, have nothing that enforces it",
		},
		{"kept limits", task.Need{MemoryMB: 64}, bare, ""},
		{"takes none", task.Need{}, none, "slots: want 1, have 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := terms(Fit(tt.need, &tt.w)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	busy, small, away := full(worker("busy", 4, 4), 1), worker("small", 1, 1), worker("away", 4, 4)
	busy2 := busy
	busy2.Name = "busy2"
	away.State = Draining
	fullDisk := worker("stuffed", 4, 4)
	fullDisk.State = DiskFull
	for _, tt := range []struct {
		name    string
		need    task.Need
		workers []Worker
		order   string
		would   string
	}{
		{"nobody", task.Need{}, nil, "", "no node offers to run tasks: start one with `octaskly worker`"},
		{"now", task.Need{}, []Worker{busy, small}, "small busy", ""},
		{"later", task.Need{CPU: 2000}, []Worker{small, busy}, "busy small", "it starts when busy has room again"},
		{"later on one of two", task.Need{CPU: 2000}, []Worker{small, busy2, busy}, "busy busy2 small", "it starts when one of 2 nodes has room again"},
		{"drained", task.Need{CPU: 2000}, []Worker{small, away}, "away small", "away is draining: `octaskly undrain away`"},
		{"full disk", task.Need{}, []Worker{fullDisk}, "stuffed", "stuffed has no room for output: free some space on the disk of its node directory"},
		{"unknown name", task.Need{On: "x"}, []Worker{small}, "small", "no node is called x: start it, or submit without --on"},
		{"named one is small", task.Need{On: "small", CPU: 2000}, []Worker{busy, small}, "busy small", "no node has cpu 2; the closest is small with 1: ask for less, or start a worker that has it"},
		{"too large", task.Need{CPU: 9000}, []Worker{small, busy}, "busy small", "no node has cpu 9; the closest is busy with 4: ask for less, or start a worker that has it"},
		{"no slots", task.Need{}, []Worker{worker("lazy", 4, 0)}, "lazy", "lazy takes no tasks: start it with --max-jobs above 0, or start another worker"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			vs := Explain(tt.need, tt.workers)
			var names []string
			for _, v := range vs {
				names = append(names, v.Worker)
				if v.Now != (len(v.Terms) == 0) || v.Now && !v.Fits {
					t.Errorf("%+v contradicts itself", v)
				}
			}
			if got := strings.Join(names, " "); got != tt.order {
				t.Errorf("order is %q, want %q", got, tt.order)
			}
			if got := Would(tt.need, vs); got != tt.would {
				t.Errorf("got  %q\nwant %q", got, tt.would)
			}
		})
	}
}
