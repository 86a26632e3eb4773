package dialog

import (
	"context"
	"fmt"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// rerun submits a finished task once more, as it was.
func rerun(view *scene.Scene) {
	t := view.Task()
	if t == nil {
		return
	}
	sp := t.Spec
	sp.RetryOf = t.ID
	submit(view, sp, false, nil)
}

// submit sends one task; open shows it afterwards. told, if it is not nil,
// hears whether it was taken.
func submit(view *scene.Scene, sp task.Spec, open bool, told func(error)) {
	scene.Do(view, scene.About{What: "submit"}, func(ctx context.Context, c control.Control) (control.SubmitReply, error) {
		r, err := c.Submit(ctx, control.SubmitRequest{Tasks: []control.NewTask{{Spec: sp}}})
		if err == nil && len(r.Results) == 0 {
			err = task.Errorf(task.KindInternal, "the dispatcher gave the task no number")
		} else if err == nil && r.Results[0].Kind != "" {
			err = task.Errorf(r.Results[0].Kind, "%s", r.Results[0].Message).WithHint("%s", r.Results[0].Hint)
		}
		return r, err
	}, func(reply control.SubmitReply, err error) {
		if told != nil {
			told(err)
		}
		if err != nil {
			view.Fail("submit", err)
			return
		}
		id := reply.Results[0].ID
		view.Say(theme.OK, submittedText(view, id, reply.Ahead))
		if open {
			view.OpenTask(id, scene.DeepTask)
		}
	})
}

// submittedText is said after a submit; after the first one, what comes next.
func submittedText(view *scene.Scene, id task.ID, ahead int) string {
	switch {
	case id == 1 && view.Facts().Known() == 1:
		return fmt.Sprintf("task 1 was submitted. Add a machine: run octaskly there, then press %s here", view.Keys.Of(scene.InNodes, "admit"))
	case ahead > 0:
		return fmt.Sprintf("task %s was submitted, %s wait before it", id, part.Count(ahead))
	}
	return fmt.Sprintf("task %s was submitted", id)
}
