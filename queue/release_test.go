package queue_test

import (
	"strings"
	"testing"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/task"
)

// What is known of an attempt that was lost stays known: that it started, and
// what arrived of its output. Its exit code is not known and is not 0.
func TestReleaseKeepsWhatIsKnown(t *testing.T) {
	q := openMem(t, t.TempDir(), newClock())
	defer q.Close()
	n := shell("x")
	n.Spec.Delivery = task.AtMostOnce
	must(t, q.Submit("me", []task.NewTask{n}))
	items := mustTake(t, q, 1)
	must(t, q.Grant("w1", grants(items)))
	must(t, q.Release([]queue.Release{{
		ID: 1, Fence: items[0].Fence, Why: queue.LeaseLost, Message: "gone", Started: 5,
		Output: task.Output{Inline: []byte("out"), Bytes: 3, Truncated: true, CutBy: "the rest went with w1"},
	}}))
	got, err := q.Get(1)
	if err != nil || got.State != task.Lost || len(got.Attempts) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	a := got.Attempts[0]
	if a.Started != 5 || string(a.Output.Inline) != "out" || a.Output.CutBy != "the rest went with w1" {
		t.Errorf("the attempt is %+v", a)
	}
	if _, known := a.ExitCode(); known {
		t.Error("a lost attempt has an exit code")
	}
}

func TestPoisonNamesTheLastLoss(t *testing.T) {
	q := openMem(t, t.TempDir(), newClock())
	defer q.Close()
	must(t, q.Submit("me", []task.NewTask{shell("x")}))
	for range queue.MaxCrashes {
		items := mustTake(t, q, 1)
		must(t, q.Grant("w1", grants(items)))
		must(t, q.Release([]queue.Release{{ID: 1, Fence: items[0].Fence, Why: queue.Forgotten, Message: "its disk was full"}}))
	}
	got, _ := q.Get(1)
	if a := got.Last(); got.State != task.Failed || a.Exit.Reason != task.ReasonPoison || !strings.HasSuffix(a.Exit.Message, "its disk was full") {
		t.Errorf("state %s, exit %+v", got.State, a.Exit)
	}
}
