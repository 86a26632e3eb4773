package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/adauldev/octaskly/node/access"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/control/document"
	"github.com/adauldev/octaskly/queue/task"
)

// shownOutput is how much of each stream stands in the JSON of a task: the end of
// it. The whole is at /output.
const shownOutput = 256 << 10

type getInput struct {
	ID   string `path:"id" doc:"the number of a task"`
	Wait int    `query:"wait" default:"0" minimum:"0" maximum:"60" doc:"seconds to wait for its end"`
}

type getOutput struct{ Body wholeTask }

// wholeTask is one task with what it wrote.
type wholeTask struct {
	Task
	Stdout    string `json:"stdout" doc:"the end of what it wrote, as text; bytes that are no UTF-8 are replaced"`
	Stderr    string `json:"stderr"`
	Truncated bool   `json:"output_truncated" doc:"more was written than stands here, or some of it is lost: see output"`
}

func (a *API) getTask(ctx context.Context, in *getInput) (*getOutput, error) {
	cluster := a.controlOf(ctx)
	found, err := a.theTask(ctx, cluster, in.ID, access.ReadTasks)
	if err != nil {
		return nil, err
	}
	if in.Wait > 0 && !found.State.Terminal() {
		if err := awaitEnd(ctx, cluster, found.ID, time.Duration(in.Wait)*time.Second); err != nil {
			return nil, err
		}
	}
	stream, err := cluster.Follow(ctx, control.FollowRequest{ID: found.ID, Output: true, NoWait: true})
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	var stdout, stderr tail
	truncated := false
	for {
		item, err := stream.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if item.Task != nil {
			found = *item.Task
		}
		for _, chunk := range item.Chunks {
			truncated = truncated || chunk.Skipped > 0
			switch chunk.Stream {
			case 1:
				stdout.add(chunk)
			case 2:
				stderr.add(chunk)
			}
		}
	}
	return &getOutput{Body: wholeTask{
		Task: taskOf(&found, a.nodeNames(ctx, cluster), true), Stdout: string(stdout.text()), Stderr: string(stderr.text()),
		Truncated: truncated || stdout.over() || stderr.over(),
	}}, nil
}

// tail keeps the end of the last attempt's output on one stream.
type tail struct {
	bytes   []byte
	attempt uint32
	cut     bool
}

func (t *tail) add(chunk control.Chunk) {
	if chunk.Attempt > t.attempt {
		t.bytes, t.attempt, t.cut = nil, chunk.Attempt, false
	}
	t.bytes = append(t.bytes, chunk.Data...)
	if len(t.bytes) > 2*shownOutput { // not at each chunk: most are small
		t.bytes, t.cut = slices.Clone(t.text()), true
	}
}

// over reports whether more was added than is shown.
func (t *tail) over() bool { return t.cut || len(t.bytes) > shownOutput }

// text is the end of what was added, as long as it may be shown.
func (t *tail) text() []byte { return t.bytes[max(0, len(t.bytes)-shownOutput):] }

// awaitEnd waits until a task has ended, at most so long.
func awaitEnd(ctx context.Context, cluster control.Control, id task.ID, most time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	stream, err := cluster.Follow(ctx, control.FollowRequest{ID: id})
	if err != nil {
		return err
	}
	defer stream.Close()
	stop := context.AfterFunc(ctx, func() { _ = stream.Close() })
	defer stop()
	for {
		_, err := stream.Next()
		if errors.Is(err, io.EOF) || ctx.Err() != nil {
			return nil // it has ended, or the time has: the answer says which
		}
		if err != nil {
			return err
		}
	}
}

type outputInput struct {
	ID      string `path:"id" doc:"the number of a task"`
	Stream  string `query:"stream" enum:"stdout,stderr,both" default:"stdout"`
	Attempt uint32 `query:"attempt" default:"0" doc:"0 is the last one"`
	Follow  bool   `query:"follow" default:"false" doc:"go on until the task has ended"`
}

// getOutput answers with the bytes as the task wrote them. Remarks of ours, such as
// that some bytes are lost, are not among them.
func (a *API) getOutput(ctx context.Context, in *outputInput) (*huma.StreamResponse, error) {
	cluster := a.controlOf(ctx)
	found, err := a.theTask(ctx, cluster, in.ID, access.ReadTasks)
	if err != nil {
		return nil, err
	}
	attempt := in.Attempt
	if last := found.Last(); attempt == 0 && !in.Follow && last != nil {
		attempt = last.Fence.Attempt
	}
	stream, err := cluster.Follow(ctx, control.FollowRequest{ID: found.ID, Output: true, Attempt: attempt, NoWait: !in.Follow})
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(out huma.Context) {
		defer stream.Close()
		stop := context.AfterFunc(out.Context(), func() { _ = stream.Close() })
		defer stop()
		out.SetHeader("Content-Type", "application/octet-stream")
		out.SetStatus(http.StatusOK)
		writer := out.BodyWriter()
		for {
			item, err := stream.Next()
			if err != nil {
				return
			}
			for _, chunk := range item.Chunks {
				if !wanted(in.Stream, chunk.Stream) {
					continue
				}
				if _, err := writer.Write(chunk.Data); err != nil {
					return
				}
			}
			flush(writer)
		}
	}}, nil
}

// wanted reports whether a chunk belongs to the stream that was asked for.
func wanted(asked string, stream uint8) bool {
	switch asked {
	case "stderr":
		return stream == 2
	case "both":
		return stream == 1 || stream == 2
	}
	return stream == 1
}

func flush(writer io.Writer) {
	if response, ok := writer.(http.ResponseWriter); ok {
		_ = http.NewResponseController(response).Flush()
	}
}

type whyOutput struct{ Body document.Why }

func (a *API) whyTask(ctx context.Context, in *idInput) (*whyOutput, error) {
	cluster := a.controlOf(ctx)
	found, err := a.theTask(ctx, cluster, in.ID, access.ReadTasks)
	if err != nil {
		return nil, err
	}
	why, err := cluster.Why(ctx, found.ID)
	if err != nil {
		return nil, err
	}
	return &whyOutput{Body: document.WhyOf(&why)}, nil
}
