package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/adauldev/octaskly/node/access"
)

// route is one row of the table of everything that REST answers.
type route struct {
	name    string // operation id
	method  string
	path    string
	right   access.Right // empty only for the public paths
	status  int          // of a success; 0 is 200
	tag     string
	summary string
	body    int64 // most bytes of the body; 0 is bodyBytes
	raw     bool  // the body is read by package text, which says more of what is wrong
}

// routes registers the table.
func (a *API) routes() {
	add(a, route{name: "submitTask", method: http.MethodPost, path: "/api/v1/tasks", right: access.CreateTasks, status: http.StatusCreated, tag: "tasks", summary: "Submit a task", body: maxTaskBody, raw: true}, a.submitTask)
	add(a, route{name: "submitTasks", method: http.MethodPost, path: "/api/v1/tasks/bulk", right: access.CreateTasks, tag: "tasks", summary: "Submit tasks, one JSON object a line; each line is judged by itself", body: maxBulkBody, raw: true}, a.submitTasks)
	add(a, route{name: "listTasks", method: http.MethodGet, path: "/api/v1/tasks", right: access.ReadTasks, tag: "tasks", summary: "List tasks, newest first"}, a.listTasks)
	add(a, route{name: "getTask", method: http.MethodGet, path: "/api/v1/tasks/{id}", right: access.ReadTasks, tag: "tasks", summary: "One task with its output; wait=60 answers when it has ended, or after 60 seconds"}, a.getTask)
	add(a, route{name: "deleteTask", method: http.MethodDelete, path: "/api/v1/tasks/{id}", right: access.CancelTasks, tag: "tasks", summary: "Cancel a task"}, a.deleteTask)
	add(a, route{name: "cancelTask", method: http.MethodPost, path: "/api/v1/tasks/{id}/cancel", right: access.CancelTasks, tag: "tasks", summary: "Cancel a task, with a grace"}, a.cancelTask)
	add(a, route{name: "getOutput", method: http.MethodGet, path: "/api/v1/tasks/{id}/output", right: access.ReadTasks, tag: "tasks", summary: "What a task wrote, as bytes; follow=true goes on until it ends"}, a.getOutput)
	add(a, route{name: "whyTask", method: http.MethodGet, path: "/api/v1/tasks/{id}/why", right: access.ReadTasks, tag: "tasks", summary: "Why a task waits, or what happened to it"}, a.whyTask)

	add(a, route{name: "listNodes", method: http.MethodGet, path: "/api/v1/nodes", right: access.ReadNodes, tag: "nodes", summary: "List nodes"}, a.listNodes)
	add(a, route{name: "getNode", method: http.MethodGet, path: "/api/v1/nodes/{node}", right: access.ReadNodes, tag: "nodes", summary: "One node, by name or id"}, a.getNode)
	add(a, route{name: "drainNode", method: http.MethodPost, path: "/api/v1/nodes/{node}/drain", right: access.ManageNodes, tag: "nodes", summary: "Give a node no further tasks"}, a.drainNode)
	add(a, route{name: "undrainNode", method: http.MethodPost, path: "/api/v1/nodes/{node}/undrain", right: access.ManageNodes, tag: "nodes", summary: "Give it tasks again"}, a.undrainNode)

	add(a, route{name: "getStatus", method: http.MethodGet, path: "/api/v1/status", right: access.ReadNodes, tag: "cluster", summary: "The cluster in one object"}, a.getStatus)
	add(a, route{name: "getStats", method: http.MethodGet, path: "/api/v1/stats", right: access.ReadNodes, tag: "cluster", summary: "The numbers of the original's stats"}, a.getStats)
	add(a, route{name: "followEvents", method: http.MethodGet, path: "/api/v1/events", right: access.ReadNodes, tag: "cluster", summary: "What happens, as server-sent events; Last-Event-ID resumes"}, a.followEvents)

	add(a, route{name: "getHealth", method: http.MethodGet, path: "/health", tag: "cluster", summary: "Whether this process answers; needs no token"}, a.getHealth)
	add(a, route{name: "getReady", method: http.MethodGet, path: "/ready", tag: "cluster", summary: "Whether tasks can be submitted; needs no token"}, a.getReady)
	a.mux.HandleFunc("GET /openapi.json", a.getOpenAPI)
}

// add registers one row with what answers it.
func add[In, Out any](a *API, r route, answer func(context.Context, *In) (*Out, error)) {
	if r.right == "" && !public[r.path] {
		panic("api: the route " + r.name + " has no right")
	}
	if r.body == 0 {
		r.body = bodyBytes
	}
	operation := huma.Operation{
		OperationID: r.name, Method: r.method, Path: r.path, Summary: r.summary, Tags: []string{r.tag}, DefaultStatus: r.status,
		MaxBodyBytes: r.body, BodyReadTimeout: bodyTime, Errors: []int{http.StatusBadRequest, http.StatusInternalServerError},
	}
	if r.right != "" {
		operation.Security = []map[string][]string{{"token": {}}}
		operation.Errors = append(operation.Errors, http.StatusUnauthorized, http.StatusForbidden)
	}
	operation.SkipValidateBody = r.raw
	operation.Middlewares = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
		if r.right != "" && reachIn(ctx.Context(), r.right) == access.Nothing {
			_ = huma.WriteErr(a.huma, ctx, http.StatusForbidden, "a token of the role "+string(callerIn(ctx.Context()).Role)+" may not "+r.name)
			return
		}
		next(ctx)
	}}
	huma.Register(a.huma, operation, func(ctx context.Context, in *In) (*Out, error) {
		out, err := answer(ctx, in)
		if err != nil {
			return nil, failureOf(err)
		}
		return out, nil
	})
}

// reachIn is how far who asks may use a right.
func reachIn(ctx context.Context, right access.Right) access.Reach {
	return access.ReachOf(callerIn(ctx).Role, right)
}

func (a *API) getOpenAPI(w http.ResponseWriter, _ *http.Request) {
	document, err := a.OpenAPI()
	if err != nil {
		writeFailure(w, failure(http.StatusInternalServerError, "describe the interface: "+err.Error(), ""))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(document)
}
