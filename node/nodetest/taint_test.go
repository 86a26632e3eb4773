package nodetest

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/exec"
	"github.com/adauldev/octaskly/exec/exectest"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// TestWhatCannotBeKilledKeepsItsSlot has a command leave a process that nothing
// kills: its slot stays taken and is named until the process is gone, and what
// comes meanwhile runs in the other one.
func TestWhatCannotBeKilledKeepsItsSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		freed := make(chan struct{})
		c := NewCluster(t, ClusterOptions{Workers: 1, Slots: 2, Seed: 3, Behave: func(s exec.Spec) exectest.Script {
			script := exectest.Interpret(s)
			if strings.Contains(s.Shell, "stuck") {
				script.Survivors, script.Freed = []int{4711}, freed
			}
			return script
		}})
		ctl := c.Dispatcher().Control()
		submit := func(specs ...task.Spec) (ids []task.ID) {
			var req control.SubmitRequest
			for _, s := range specs {
				req.Tasks = append(req.Tasks, control.NewTask{Spec: s})
			}
			r, err := ctl.Submit(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range r.Results {
				ids = append(ids, x.ID)
			}
			return ids
		}
		worker := func() control.Node {
			nodes, err := ctl.Nodes(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range nodes {
				if n.Name == "w1" {
					return n
				}
			}
			return control.Node{} // it has not come yet
		}
		until := func(t *testing.T, what string, is func() bool) {
			t.Helper()
			for range 600 {
				if is() {
					return
				}
				time.Sleep(100 * time.Millisecond) // of the bubble
			}
			t.Fatal("a minute went by: " + what)
		}
		stuck := submit(task.Spec{Shell: "echo stuck"})
		until(t, "the slot is taken out", func() bool { n := worker(); return n.State == control.NodeUp && n.Capacity.Slots == 1 })
		if w := strings.Join(worker().Warnings, "\n"); !strings.Contains(w, "4711") || !strings.Contains(w, "task 1") {
			t.Errorf("the node does not name what it could not kill: %q", w)
		}
		got, err := ctl.Get(t.Context(), stuck[0])
		if err != nil {
			t.Fatal(err)
		}
		until(t, "the task is known to be unkillable", func() bool {
			got, err = ctl.Get(t.Context(), stuck[0])
			return err == nil && got.State.Terminal()
		})
		if last := got.Attempts[len(got.Attempts)-1]; last.Exit.Reason != task.ReasonUnkillable {
			t.Errorf("the task ended as %v for %q", got.State, last.Exit.Reason)
		}

		small := submit(task.Spec{Shell: "sleep 5"}, task.Spec{Shell: "sleep 5"})
		large := submit(task.Spec{Shell: "echo large", Need: task.Need{CPU: 2000}})
		time.Sleep(7 * time.Second) // of the bubble: the first small one has ended, the second runs
		states := func(ids ...task.ID) (all []task.State) {
			for _, id := range ids {
				x, err := ctl.Get(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, x.State)
			}
			return all
		}
		if s := states(small[0], small[1], large[0]); s[0] != task.Done || s[1] != task.Running || s[2] != task.Queued {
			t.Errorf("with one slot left: %v", s)
		}
		close(freed)
		until(t, "the slot is back", func() bool {
			n := worker()
			return n.Capacity.Slots == 2 && !strings.Contains(strings.Join(n.Warnings, "\n"), "4711")
		})
		until(t, "everything is done", func() bool {
			s := states(small[0], small[1], large[0])
			return s[0] == task.Done && s[1] == task.Done && s[2] == task.Done
		})
		c.Stop()
		for _, v := range Check(c.History.Events(), CheckOptions{Witnessed: true, Complete: true}) {
			t.Error(v)
		}
	})
}
