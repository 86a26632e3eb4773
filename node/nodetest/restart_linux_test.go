package nodetest

import (
	"testing"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/testlength"
)

// TestListAfterARestart: from the first answer on, a dispatcher that was killed
// lists everything that was acknowledged.
func TestListAfterARestart(t *testing.T) {
	u := newUser(t)
	args := []string{"dispatcher", "--max-jobs", "0", "--api", "off", "--sandbox-level", "none"}
	p := u.start("dispatcher", args...)
	tasks := make([]control.NewTask, 300)
	for i := range tasks {
		tasks[i].Spec = task.Spec{Shell: "true"}
	}
	u.submit(tasks)
	for round := range 2 {
		p.kill()
		p = u.start("dispatcher", args...)
		answers := 0
		await(t, "the lists", func() bool {
			out, _, code := u.run("ps", "--all", "--quiet", "--timeout", "1s")
			if code != 0 {
				return false
			}
			n := 0
			for _, c := range out {
				if c == '\n' {
					n++
				}
			}
			if n != len(tasks) {
				t.Fatalf("round %d: %d of %d tasks are listed", round, n, len(tasks))
			}
			answers++
			return answers == testlength.Of(2, 5, 50)
		})
	}
}
