package api

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/control/document"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

type none struct{}

type nodesOutput struct {
	Body struct {
		Nodes []document.Node `json:"nodes"`
	}
}

func (a *API) listNodes(ctx context.Context, _ *none) (*nodesOutput, error) {
	nodes, err := a.controlOf(ctx).Nodes(ctx)
	if err != nil {
		return nil, err
	}
	out := &nodesOutput{}
	out.Body.Nodes = make([]document.Node, len(nodes))
	for i := range nodes {
		out.Body.Nodes[i] = document.NodeOf(&nodes[i])
	}
	return out, nil
}

type nodeInput struct {
	Node string `path:"node" doc:"name or id of a node"`
}

type nodeOutput struct{ Body document.Node }

func (a *API) getNode(ctx context.Context, in *nodeInput) (*nodeOutput, error) {
	nodes, err := a.controlOf(ctx).Nodes(ctx)
	if err != nil {
		return nil, err
	}
	for i := range nodes {
		if nodes[i].Name == in.Node || string(nodes[i].ID) == in.Node {
			return &nodeOutput{Body: document.NodeOf(&nodes[i])}, nil
		}
	}
	return nil, task.Errorf(task.KindNotFound, "there is no node %q", in.Node)
}

func (a *API) drainNode(ctx context.Context, in *nodeInput) (*nodeOutput, error) {
	return nodeAnswer(a.controlOf(ctx).Drain(ctx, in.Node))
}

func (a *API) undrainNode(ctx context.Context, in *nodeInput) (*nodeOutput, error) {
	return nodeAnswer(a.controlOf(ctx).Undrain(ctx, in.Node))
}

func nodeAnswer(node control.Node, err error) (*nodeOutput, error) {
	if err != nil {
		return nil, err
	}
	return &nodeOutput{Body: document.NodeOf(&node)}, nil
}

type statusOutput struct{ Body document.Status }

func (a *API) getStatus(ctx context.Context, _ *none) (*statusOutput, error) {
	status, err := a.controlOf(ctx).Status(ctx)
	if err != nil {
		return nil, err
	}
	return &statusOutput{Body: document.StatusOf(&status)}, nil
}

type statsOutput struct{ Body stats }

// stats has the fields of the original. What is not known is null.
type stats struct {
	Workers struct {
		Total  int `json:"total"`
		Active int `json:"active" doc:"run at least one task"`
		Idle   int `json:"idle" doc:"are up and run none"`
	} `json:"workers"`
	Tasks struct {
		Queued    int `json:"queued"`
		Running   int `json:"running"`
		Completed int `json:"completed"`
		Failed    int `json:"failed"`
		Cancelled int `json:"cancelled"`
	} `json:"tasks"`
	System struct {
		Uptime int64    `json:"uptime_seconds" doc:"of this interface"`
		Memory int64    `json:"memory_usage_mb" doc:"of this process"`
		CPU    *float32 `json:"cpu_usage_percent" doc:"of the dispatcher's machine; null until it was measured"`
	} `json:"system"`
	Database struct {
		Total int    `json:"total_tasks"`
		Disk  *int64 `json:"disk_size_mb" doc:"null: not measured"`
	} `json:"database"`
}

func (a *API) getStats(ctx context.Context, _ *none) (*statsOutput, error) {
	cluster := a.controlOf(ctx)
	status, err := cluster.Status(ctx)
	if err != nil {
		return nil, err
	}
	nodes, err := cluster.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	out := &statsOutput{}
	body := &out.Body
	for i := range nodes {
		body.countNode(&nodes[i])
		if nodes[i].Name == status.Dispatcher && nodes[i].Load.MemTotalMB > 0 {
			cpu := nodes[i].Load.CPUPercent
			body.System.CPU = &cpu
		}
	}
	for _, state := range task.States() {
		n := status.Tasks[state]
		body.Database.Total += n
		switch statuses[state] {
		case "queued":
			body.Tasks.Queued += n
		case "running":
			body.Tasks.Running += n
		case "completed":
			body.Tasks.Completed += n
		case "failed":
			body.Tasks.Failed += n
		case "cancelled":
			body.Tasks.Cancelled += n
		}
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	body.System.Memory = int64(memory.Sys-memory.HeapReleased) >> 20
	body.System.Uptime = int64(a.opt.Now().Sub(a.started) / time.Second)
	return out, nil
}

// countNode counts a node that works.
func (s *stats) countNode(n *control.Node) {
	if n.Capacity.Slots == 0 {
		return
	}
	switch n.State {
	case control.NodeAsks, control.NodeForeign:
		return
	case control.NodeUp, control.NodeDraining:
		if n.Used.Tasks > 0 {
			s.Workers.Active++
		} else {
			s.Workers.Idle++
		}
	case control.NodeDrained, control.NodeStale, control.NodeLost, control.NodeAway:
	}
	s.Workers.Total++
}

type healthOutput struct {
	Status int
	Body   struct {
		Status  string `json:"status" enum:"healthy,unhealthy"`
		Message string `json:"message,omitempty"`
		Version string `json:"version"`
		Uptime  int64  `json:"uptime_seconds"`
	}
}

func (a *API) getHealth(context.Context, *none) (*healthOutput, error) {
	out := &healthOutput{Status: http.StatusOK}
	out.Body.Status, out.Body.Version = "healthy", a.opt.Version
	out.Body.Uptime = int64(a.opt.Now().Sub(a.started) / time.Second)
	return out, nil
}

// getReady asks the queue, where getHealth asks nobody.
func (a *API) getReady(ctx context.Context, _ *none) (*healthOutput, error) {
	out, _ := a.getHealth(ctx, nil)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if _, err := a.opt.Control("").Status(ctx); err != nil {
		out.Status, out.Body.Status, out.Body.Message = http.StatusServiceUnavailable, "unhealthy", err.Error()
	}
	return out, nil
}

type eventsInput struct {
	From uint64 `query:"from" doc:"after this position; 1 is from the oldest that is kept"`
	Last string `header:"Last-Event-ID" doc:"position of the last event that arrived"`
}

// quietTime is how long an event stream may be silent: then a remark is sent, so
// that both ends see that the other is there.
const quietTime = 15 * time.Second

func (a *API) followEvents(ctx context.Context, in *eventsInput) (*huma.StreamResponse, error) {
	request := control.EventsRequest{From: in.From}
	if in.Last != "" {
		position, err := strconv.ParseUint(in.Last, 10, 64)
		if err != nil {
			return nil, task.Errorf(task.KindUsage, "Last-Event-ID: %q is no position", in.Last)
		}
		request.From = position
	}
	stream, err := a.controlOf(ctx).Events(ctx, request)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(out huma.Context) { writeEvents(out, stream) }}, nil
}

func writeEvents(out huma.Context, stream control.EventStream) {
	ctx, cancel := context.WithCancel(out.Context())
	arrived := make(chan []control.Event)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(arrived)
		for {
			events, err := stream.Next()
			if err != nil {
				return
			}
			select {
			case arrived <- events:
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() { cancel(); _ = stream.Close(); <-done }()
	out.SetHeader("Content-Type", "text/event-stream")
	out.SetStatus(http.StatusOK)
	writer := out.BodyWriter()
	flush(writer)
	quiet := time.NewTicker(quietTime)
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-quiet.C:
			if _, err := fmt.Fprint(writer, ": still here\n\n"); err != nil {
				return
			}
		case events, ok := <-arrived:
			if !ok {
				return
			}
			for i := range events {
				line, err := text.JSON(document.EventOf(&events[i]))
				if err != nil {
					return
				}
				if _, err := fmt.Fprintf(writer, "id: %d\nevent: %s\ndata: %s\n\n", events[i].Position, events[i].Kind, line); err != nil {
					return
				}
			}
		}
		flush(writer)
	}
}
