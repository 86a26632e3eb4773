package screen

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// maxTaskFile is the largest file of tasks that is read.
const maxTaskFile = 64 << 20

// submitFile submits every line of a file.
func (m *Model) submitFile(path string) {
	m.say(theme.Muted, "reading "+path+" …")
	m.do(Call{
		What: "submit from " + path,
		Do: func(ctx context.Context, c control.Control) (any, error) {
			f, err := os.Open(path)
			if err != nil {
				return nil, err
			}
			defer f.Close()
			b, err := io.ReadAll(io.LimitReader(f, maxTaskFile+1))
			if err != nil {
				return nil, err
			}
			if len(b) > maxTaskFile {
				return nil, fmt.Errorf("%s is larger than %s", path, part.Bytes(maxTaskFile))
			}
			specs, err := ReadTasks(string(b))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			r := control.SubmitRequest{}
			for _, sp := range specs {
				r.Tasks = append(r.Tasks, control.NewTask{Spec: sp})
			}
			return c.Submit(ctx, r)
		},
		Then: func(m *Model, v any, err error) {
			if err != nil {
				m.fail("submit from "+path, err)
				return
			}
			m.saySubmitted(v.(control.SubmitReply))
		},
	})
}

func (m *Model) saySubmitted(r control.SubmitReply) {
	good, bad := 0, ""
	for _, x := range r.Results {
		if x.Kind == "" {
			good++
		} else if bad == "" {
			bad = x.Message + hintText(x.Hint)
		}
	}
	if bad != "" {
		m.say(theme.Err, fmt.Sprintf("%s queued, %d refused: %s", part.Plural(good, "task"), len(r.Results)-good, bad))
		return
	}
	m.say(theme.OK, part.Plural(good, "task")+" queued")
	m.goPage("tasks")
}
