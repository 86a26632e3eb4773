package sched

import (
	"slices"

	"github.com/adauldev/octaskly/queue/task"
)

// Place says where a task with this need could run. It is Explain in short, for
// who asks before the task exists: nothing of it has to be submitted.
func Place(need task.Need, workers []Worker) task.Placement {
	verdicts := Explain(need, workers)
	p := task.Placement{Nodes: len(workers)}
	for i := range verdicts {
		switch v := &verdicts[i]; {
		case v.Now:
			p.Now = append(p.Now, v.Worker)
		case v.Fits:
			p.Later = append(p.Later, v.Worker)
		}
	}
	slices.Sort(p.Now)
	slices.Sort(p.Later)
	if len(p.Now) == 0 {
		p.Lacks = Would(need, verdicts)
	}
	return p
}
