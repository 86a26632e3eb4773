package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/access"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/demo"
	"github.com/adauldev/octaskly/queue/task"
)

// site is an interface over a simulated fleet.
type site struct {
	*API
	signer *access.Signer
	asked  []task.Principal // on whose behalf
}

// fleet is a simulated cluster whose tasks all belong to one principal.
type fleet struct {
	*demo.Fleet
	by    task.Principal
	query task.Query // of the last List
}

func (f *fleet) Get(ctx context.Context, id task.ID) (task.Task, error) {
	t, err := f.Fleet.Get(ctx, id)
	t.By = f.by
	return t, err
}

func (f *fleet) List(ctx context.Context, q task.Query) (task.Page, error) {
	f.query = q
	return f.Fleet.List(ctx, q)
}

func newSite(t testing.TB, cluster control.Control) *site {
	t.Helper()
	signer, err := access.NewSigner(strings.Repeat("s", 32), "cluster1", "node1")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{signer: signer}
	s.API = New(Options{
		Control: func(who task.Principal) control.Control { s.asked = append(s.asked, who); return cluster },
		Signer:  signer, Address: "127.0.0.1:3000", Version: "1.2.3",
	})
	return s
}

func newFleet() *fleet {
	return &fleet{Fleet: demo.New(demo.Options{Tasks: 500, Seed: 1}), by: "token:ci"}
}

func (s *site) token(t testing.TB, role task.Role) string {
	t.Helper()
	token, _, err := s.signer.Issue(access.TokenRequest{Name: "ci", Role: role}, "id1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// ask sends one request as a program does and gives its answer.
func (s *site) ask(t testing.TB, role task.Role, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "127.0.0.1:3000"
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if role != "" {
		r.Header.Set("Authorization", "Bearer "+s.token(t, role))
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

// read reads an answer that has to have this status.
func read(t testing.TB, w *httptest.ResponseRecorder, status int) map[string]any {
	t.Helper()
	if w.Code != status {
		t.Fatalf("answered %d, want %d: %s", w.Code, status, w.Body)
	}
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("the body is no JSON object: %v: %s", err, w.Body)
	}
	return body
}

// A client that was written for the original finds its calls, fields and words.
func TestTheOriginalsCalls(t *testing.T) {
	s := newSite(t, newFleet())
	made := read(t, s.ask(t, task.RoleClient, "POST", "/api/v1/tasks",
		`{"command":"echo hi","timeout":60,"inputs":[],"outputs":[],"memory_limit_mb":64,"disk_limit_mb":10,"sandbox_level":"basic","retry_count":1,"priority":"high"}`), 201)
	id, ok := made["id"].(string)
	if !ok || made["command"] != "echo hi" || made["status"] != "queued" || made["created_at"] == nil {
		t.Fatalf("the original answers id, command, status and created_at; here: %v", made)
	}
	one := read(t, s.ask(t, task.RoleClient, "GET", "/api/v1/tasks/"+id, ""), 200)
	for _, field := range []string{"stdout", "stderr", "duration_ms", "exit_code", "worker_id", "completed_at"} {
		if _, ok := one[field]; !ok {
			t.Errorf("one task has no %s", field)
		}
	}
	if one["schema"] != "octaskly.task/1" || fmt.Sprint(one["number"]) != id || one["priority"] != 75.0 {
		t.Errorf("what the original did not have is missing: %v", one)
	}
	list := read(t, s.ask(t, task.RoleAdmin, "GET", "/api/v1/tasks?status=completed&limit=5&offset=2", ""), 200)
	if list["limit"] != 5.0 || list["offset"] != 2.0 || list["returned"] != 5.0 || len(list["tasks"].([]any)) != 5 || list["total"] == nil {
		t.Errorf("a list answers total, returned, limit and offset: %v", list)
	}
	stats := read(t, s.ask(t, task.RoleAdmin, "GET", "/api/v1/stats", ""), 200)
	for field, inner := range map[string]string{"workers": "idle", "tasks": "completed", "system": "uptime_seconds", "database": "total_tasks"} {
		if part, _ := stats[field].(map[string]any); part[inner] == nil {
			t.Errorf("stats has no %s.%s: %v", field, inner, stats)
		}
	}
	health := read(t, s.ask(t, "", "GET", "/health", ""), 200)
	if health["status"] != "healthy" || health["version"] != "1.2.3" || health["uptime_seconds"] == nil {
		t.Errorf("health: %v", health)
	}
	ended := read(t, s.ask(t, task.RoleClient, "DELETE", "/api/v1/tasks/"+id, ""), 200)
	if ended["id"] != id || ended["status"] != "cancelled" || ended["message"] == nil {
		t.Errorf("a cancel answers id, status and message: %v", ended)
	}
	w := s.ask(t, task.RoleClient, "DELETE", "/api/v1/tasks/999999", "")
	if body := read(t, w, 404); body["error"] == nil || body["status"] != 404.0 || body["timestamp"] == nil || body["code"] != "not_found" {
		t.Errorf("an error has error, status, timestamp and code: %v", body)
	}
	for _, header := range []string{"X-Request-ID", "X-Response-Time-ms"} {
		if w.Header().Get(header) == "" {
			t.Errorf("%s is missing", header)
		}
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control: %q", got)
	}
}

// A page of a list ends with the cursor of the next one, until nothing is left.
func TestPages(t *testing.T) {
	s := newSite(t, newFleet())
	seen := map[any]bool{}
	path := "/api/v1/tasks?limit=200"
	for pages := 0; ; pages++ {
		list := read(t, s.ask(t, task.RoleAdmin, "GET", path, ""), 200)
		for _, entry := range list["tasks"].([]any) {
			seen[entry.(map[string]any)["id"]] = true
		}
		if list["next_cursor"] == nil || pages > 10 {
			break
		}
		path = "/api/v1/tasks?limit=200&cursor=" + list["next_cursor"].(string)
	}
	if len(seen) < 500 {
		t.Errorf("%d tasks were listed of 500 or more", len(seen))
	}
	past := read(t, s.ask(t, task.RoleAdmin, "GET", "/api/v1/tasks?offset=90000", ""), 200)
	if past["returned"] != 0.0 {
		t.Errorf("behind the last task there are %v", past["returned"])
	}
}

func TestBulk(t *testing.T) {
	s := newSite(t, newFleet())
	body := `{"command":"a"}` + "\n\n" + `{"command":"b","comand":1}` + "\n" + `{"command":["c","d"]}` + "\nnonsense\n"
	got := read(t, s.ask(t, task.RoleClient, "POST", "/api/v1/tasks/bulk", body, "Content-Type", "application/x-ndjson"), 200)
	if got["accepted"] != 2.0 || got["refused"] != 2.0 {
		t.Fatalf("two of four lines are right: %v", got)
	}
	for i, line := range []float64{1, 3, 4, 5} {
		result := got["results"].([]any)[i].(map[string]any)
		if result["line"] != line || (result["id"] == nil) != (result["error"] != nil) {
			t.Errorf("line %v: %v", line, result)
		}
	}
}

// Who may only reach own tasks does not learn that there are others.
func TestOwnTasksOnly(t *testing.T) {
	f := newFleet()
	s := newSite(t, f)
	read(t, s.ask(t, task.RoleClient, "GET", "/api/v1/tasks", ""), 200)
	if f.query.By != "token:ci" {
		t.Errorf("a client lists tasks by %q", f.query.By)
	}
	read(t, s.ask(t, task.RoleDispatcher, "GET", "/api/v1/tasks", ""), 200)
	if f.query.By != "" {
		t.Errorf("a dispatcher lists only tasks by %q", f.query.By)
	}
	f.by = "token:other"
	for _, call := range [][2]string{
		{"GET", "/api/v1/tasks/7"},
		{"DELETE", "/api/v1/tasks/7"},
		{"GET", "/api/v1/tasks/7/output"},
		{"GET", "/api/v1/tasks/7/why"},
		{"POST", "/api/v1/tasks/7/cancel"},
	} {
		theirs := read(t, s.ask(t, task.RoleClient, call[0], call[1], ""), 404)
		missing := read(t, s.ask(t, task.RoleClient, call[0], strings.Replace(call[1], "7", "999999", 1), ""), 404)
		if strings.ReplaceAll(fmt.Sprint(theirs["error"]), "7", "N") != strings.ReplaceAll(fmt.Sprint(missing["error"]), "999999", "N") {
			t.Errorf("%v: somebody else's task answers %q, none answers %q", call, theirs["error"], missing["error"])
		}
		if call[0] == "GET" && s.ask(t, task.RoleAdmin, call[0], call[1], "").Code != 200 {
			t.Errorf("%v: an admin does not see it", call)
		}
	}
}

// What is wrong with a body is said, with the field, and nothing is stored.
func TestBadBodies(t *testing.T) {
	s := newSite(t, newFleet())
	for body, word := range map[string]string{
		`{`:                                      "JSON",
		`[]`:                                     "object",
		`{"command":"x","comand":"y"}`:           "comand",
		`{"command":7}`:                          "command",
		`{"command":"x","timeout":"soon"}`:       "timeout",
		`{"command":"x","retry_count":-1}`:       "retry",
		`{"command":"x","memory_limit_mb":"no"}`: "memory_limit_mb",
		`{"command":"x","sandbox_level":"some"}`: "sandbox_level",
		`{"command":"x","inputs":["a.csv"]}`:     "inputs",
	} {
		got := read(t, s.ask(t, task.RoleClient, "POST", "/api/v1/tasks", body), 400)
		if !strings.Contains(fmt.Sprint(got["error"]), word) || got["code"] != "usage" {
			t.Errorf("%s: %v does not name %s", body, got, word)
		}
	}
	for _, path := range []string{
		"/api/v1/tasks?limit=0", "/api/v1/tasks?limit=1001", "/api/v1/tasks?limit=x", "/api/v1/tasks?offset=-1", "/api/v1/tasks?status=odd",
		"/api/v1/tasks?state=odd", "/api/v1/tasks?state=done&status=completed", "/api/v1/tasks?cursor=x", "/api/v1/tasks?unknown=1",
		"/api/v1/tasks/x", "/api/v1/tasks/1?wait=61", "/api/v1/tasks/1/output?stream=third",
	} {
		if got := read(t, s.ask(t, task.RoleAdmin, "GET", path, ""), 400); got["error"] == nil {
			t.Errorf("%s: %v", path, got)
		}
	}
	large := `{"command":"` + strings.Repeat("x", maxTaskBody) + `"}`
	read(t, s.ask(t, task.RoleClient, "POST", "/api/v1/tasks", large), 413)
	read(t, s.ask(t, task.RoleClient, "POST", "/api/v1/tasks", `{"command":"x","idempotency_key":"a"}`, "Idempotency-Key", "b"), 400)
}

// Characters that act on a terminal are written as escapes, as the command line does.
func TestAnswersAreSafeToShow(t *testing.T) {
	s := newSite(t, newFleet())
	w := s.ask(t, task.RoleClient, "POST", "/api/v1/tasks", `{"command":"echo \u202e\u009b31m"}`)
	read(t, w, 201)
	if bytes.ContainsAny(w.Body.Bytes(), "\u202e\u009b") {
		t.Errorf("raw in the answer: %q", w.Body)
	}
}

func TestEventsStream(t *testing.T) {
	s := newSite(t, newFleet())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/v1/events", nil)
	r.Header.Set("Authorization", "Bearer "+s.token(t, task.RoleAdmin))
	r.Header.Set("Last-Event-ID", "1")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if got := answer.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("answered %d with %q", answer.StatusCode, got)
	}
	buffer := make([]byte, 4096)
	n, err := answer.Body.Read(buffer)
	if err != nil || !bytes.HasPrefix(buffer[:n], []byte("id: ")) {
		t.Errorf("the stream begins with %q, %v", buffer[:n], err)
	}
}

// The description names every operation and is of version 3.1.
func TestOpenAPI(t *testing.T) {
	s := newSite(t, newFleet())
	document := read(t, s.ask(t, "", "GET", "/openapi.json", ""), 200)
	if document["openapi"] != "3.1.0" {
		t.Errorf("openapi is %v", document["openapi"])
	}
	paths, _ := document["paths"].(map[string]any)
	for _, path := range []string{"/api/v1/tasks", "/api/v1/tasks/{id}", "/api/v1/nodes/{node}/drain", "/api/v1/events", "/health"} {
		if paths[path] == nil {
			t.Errorf("%s is not described", path)
		}
	}
}

func TestRouteWithoutARight(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a route that nobody has to have a right for was registered")
		}
	}()
	s := newSite(t, newFleet())
	add(s.API, route{name: "anything", method: http.MethodGet, path: "/api/v1/anything"}, s.getHealth)
}

func FuzzSubmit(f *testing.F) {
	s := newSite(f, newFleet())
	f.Add(`{"command":"echo","timeout":1}`)
	f.Add(`{"command":["a",1]}`)
	f.Fuzz(func(t *testing.T, body string) {
		if w := s.ask(t, task.RoleClient, "POST", "/api/v1/tasks", body); w.Code >= 500 {
			t.Errorf("%q: %d %s", body, w.Code, w.Body)
		}
	})
}
