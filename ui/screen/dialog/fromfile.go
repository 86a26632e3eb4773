package dialog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// maxTaskFile is the largest file of tasks that is read.
const maxTaskFile = 64 << 20

// submitFile submits every line of a file.
func submitFile(view *scene.Scene, path string) {
	view.Say(theme.Muted, "reading "+path+" …")
	scene.Do(view, scene.About{What: "submit from " + path}, func(ctx context.Context, c control.Control) (control.SubmitReply, error) {
		f, err := os.Open(path)
		if err != nil {
			return control.SubmitReply{}, err
		}
		defer f.Close()
		tasks, err := readTasks(ctx, f)
		if err != nil {
			return control.SubmitReply{}, fmt.Errorf("%s: %w", path, err)
		}
		return c.Submit(ctx, control.SubmitRequest{Tasks: tasks})
	}, func(reply control.SubmitReply, err error) {
		if err != nil {
			view.Fail("submit from "+path, err)
			return
		}
		saySubmitted(view, reply)
	})
}

// readTasks reads a file of tasks: a JSON object a line as octaskly submit --from
// reads it, or a command for the shell. Empty lines and lines that begin with # are
// left out. Nothing is submitted when one line has a mistake; the error names it.
func readTasks(ctx context.Context, r io.Reader) ([]task.NewTask, error) {
	var tasks []task.NewTask
	limited := &io.LimitedReader{R: r, N: maxTaskFile + 1}
	lines := text.NewLines(limited)
	lines.Commands = true
	for {
		line, more := lines.Next(ctx)
		switch {
		case limited.N == 0:
			return nil, fmt.Errorf("it is larger than %s", part.Bytes(maxTaskFile))
		case !more && len(tasks) == 0:
			return nil, errors.New("it has no commands")
		case !more:
			return tasks, nil
		case line.Err != nil:
			return nil, task.Errorf(task.KindUsage, "line %d: %w", line.Number, line.Err).WithHint("%s", task.HintOf(line.Err))
		case len(line.Task.Spec.Stdin) > task.MaxInlineStdin:
			return nil, task.Errorf(task.KindTooLarge, "line %d: standard input has %s, from here at most %s can be given", line.Number, part.Bytes(int64(len(line.Task.Spec.Stdin))), part.Bytes(task.MaxInlineStdin)).
				WithHint("octaskly submit --from FILE takes more")
		}
		tasks = append(tasks, line.Task)
	}
}

func saySubmitted(view *scene.Scene, r control.SubmitReply) {
	good, bad := 0, ""
	for _, x := range r.Results {
		if x.Kind == "" {
			good++
		} else if bad == "" {
			bad = x.Message + scene.HintText(x.Hint)
		}
	}
	if bad != "" {
		view.Say(theme.Err, fmt.Sprintf("%s queued, %d refused: %s", part.Plural(good, "task"), len(r.Results)-good, bad))
		return
	}
	view.Say(theme.OK, part.Plural(good, "task")+" queued")
	view.GoPage(scene.Tasks)
}
