package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/adauldev/octaskly/node/access"
	"github.com/adauldev/octaskly/queue/task"
)

// door is one value of one thing that the doors look at, and what it makes of the
// answer: 0 lets pass.
type door struct {
	name, value string
	status      int
}

var (
	hosts = []door{
		{"no port", "127.0.0.1", 0},
		{"loopback", "127.0.0.1:3000", 0},
		{"localhost", "LOCALHOST:3000", 0},
		{"IPv6", "[::1]:3000", 0},
		{"rebound", "evil.example", 403},
		{"suffix", "127.0.0.1.evil.example:3000", 403},
		{"empty", "", 403},
	}
	origins = []door{
		{"none", "", 0}, {"null", "null", 403}, {"other", "https://evil.example", 403}, {"other port", "http://127.0.0.1:8080", 403},
	}
	bodies = []door{
		{"JSON", "application/json", 0},
		{"JSON with charset", "application/json; charset=utf-8", 0},
		{"text", "text/plain", 415},
		{"form", "application/x-www-form-urlencoded", 415},
		{"none", "", 415},
		{"odd", "a/b/c", 415},
	}
)

// TestDoors sends every operation with every host, origin, body and token, and
// every method that none has: only what the table allows is answered.
func TestDoors(t *testing.T) {
	s := newSite(t, newFleet())
	tokens := []door{{"none", "", 401}, {"nonsense", "Bearer x", 401}, {"basic", "Basic YTpi", 401}}
	ended, _, err := s.signer.Issue(access.TokenRequest{Name: "ci", Role: task.RoleAdmin, TTL: time.Minute}, "id1", time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	tokens = append(tokens, door{"ended", "Bearer " + ended, 401})
	for _, role := range access.Roles() {
		tokens = append(tokens, door{string(role), "Bearer " + s.token(t, role), 0})
	}
	cells := 0
	for path, item := range s.huma.OpenAPI().Paths {
		for method, operation := range map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "DELETE": item.Delete} {
			if operation == nil {
				continue
			}
			for _, host := range hosts {
				for _, origin := range origins {
					for _, body := range bodies {
						for _, token := range tokens {
							cells++
							s.tryDoors(t, method, path, operation, host, origin, body, token)
						}
					}
				}
			}
		}
	}
	if cells < 3000 {
		t.Errorf("only %d cells were tried", cells)
	}
	t.Log(cells, "cells")
	for _, method := range []string{"PUT", "PATCH", "OPTIONS", "CONNECT", "TRACE", "PROPFIND"} {
		for _, path := range []string{"/", "/health", "/api/v1/tasks", "/api/v1/tasks/1"} {
			if w := s.ask(t, task.RoleAdmin, method, path, ""); w.Code != 405 {
				t.Errorf("%s %s is answered with %d", method, path, w.Code)
			}
		}
	}
}

// tryDoors sends one cell. The first door that does not let pass decides.
func (s *site) tryDoors(t *testing.T, method, path string, operation *huma.Operation, host, origin, body, token door) {
	t.Helper()
	want := host.status
	if want == 0 {
		want = origin.status
	}
	hasBody := method == "POST"
	if want == 0 && hasBody {
		want = body.status
	}
	open := public[path]
	if want == 0 && !open {
		want = token.status
	}
	right := rights[operation.OperationID]
	if want == 0 && !open && access.ReachOf(task.Role(token.name), right) == access.Nothing {
		want = 403
	}
	target := strings.NewReplacer("{id}", "1", "{node}", "mill-02").Replace(path)
	content := ""
	if hasBody {
		content = "{}"
	}
	ctx := t.Context()
	if operation.OperationID == "followEvents" {
		ended, cancel := context.WithCancel(ctx) // it would go on for ever
		cancel()
		ctx = ended
	}
	r := httptest.NewRequestWithContext(ctx, method, target, strings.NewReader(content))
	r.Host = host.value
	for name, value := range map[string]string{"Origin": origin.value, "Content-Type": body.value, "Authorization": token.value} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	switch {
	case want != 0 && w.Code != want:
		t.Errorf("%s %s, host %s, origin %s, body %s, token %s: answered %d, want %d", method, path, host.name, origin.name, body.name, token.name, w.Code, want)
	case want == 0 && (w.Code == 401 || w.Code == 403 || w.Code == 415):
		t.Errorf("%s %s, host %s, origin %s, body %s, token %s: refused with %d", method, path, host.name, origin.name, body.name, token.name, w.Code)
	case w.Code == http.StatusInternalServerError:
		t.Errorf("%s %s: %s", method, path, w.Body)
	}
}

// rights is the table once more, written by hand: a route that is not here fails.
var rights = map[string]access.Right{
	"submitTask": access.CreateTasks, "submitTasks": access.CreateTasks, "listTasks": access.ReadTasks, "getTask": access.ReadTasks,
	"deleteTask": access.CancelTasks, "cancelTask": access.CancelTasks, "getOutput": access.ReadTasks, "whyTask": access.ReadTasks,
	"listNodes": access.ReadNodes, "getNode": access.ReadNodes, "drainNode": access.ManageNodes, "undrainNode": access.ManageNodes,
	"getStatus": access.ReadNodes, "getStats": access.ReadNodes, "followEvents": access.ReadNodes,
}
