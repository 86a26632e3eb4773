package ui

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/demo"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/ui/part"
)

// oneLineEach is a cluster in which every task wrote one line, in one piece.
type oneLineEach struct{ control.Control }

func (oneLineEach) Follow(_ context.Context, r control.FollowRequest) (control.Follower, error) {
	return &oneLine{id: r.ID}, nil
}

type oneLine struct {
	id   task.ID
	read bool
}

func (s *oneLine) Next() (control.FollowItem, error) {
	if s.read {
		return control.FollowItem{}, io.EOF
	}
	s.read = true
	return control.FollowItem{Chunks: []control.Chunk{{Stream: 1, Data: fmt.Appendf(nil, "line of task %d.\n", s.id)}}}, nil
}

func (*oneLine) Close() error { return nil }

// Whatever task the cursor is moved to, its own output is shown beside it.
func TestOutputPaneFollowsTheCursor(t *testing.T) {
	d := drive(t, setup{demo: demo.Options{Nodes: 8, Tasks: 300}})
	d.ctl.Control = oneLineEach{d.ctl.Control}
	d.view(160, 50)
	d.keys("2")
	for _, key := range strings.Fields("j j j k j j G k k g j L esc j L esc") {
		d.keys(key)
		screen := part.Clean(strings.Join(d.view(160, 50), "\n"))
		if want := fmt.Sprintf("line of task %d.", d.m.Want().Output); !strings.Contains(screen, want) {
			t.Fatalf("after %q the screen does not show %q:\n%s", key, want, screen)
		}
	}
}
