package nodetest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

func TestClusterRunsATask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCluster(t, ClusterOptions{Workers: 2, Seed: 1})
		r, err := c.Dispatcher().Control().Submit(t.Context(), control.SubmitRequest{Tasks: []control.NewTask{{Spec: task.Spec{Shell: "echo hi; sleep 1"}}}})
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			got, err := c.Dispatcher().Control().Get(t.Context(), r.Results[0].ID)
			if err != nil {
				t.Fatal(err)
			}
			if got.State.Terminal() {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		c.Stop()
		for _, v := range Check(c.History.Events(), CheckOptions{Witnessed: true, Complete: true}) {
			t.Error(v)
		}
		for _, e := range c.History.Events() {
			t.Log(e)
		}
	})
}
