package cli

import (
	"context"
	"testing"

	"github.com/adauldev/octaskly/node/control"
)

// ofStatus is a cluster that has a status and nothing else.
type ofStatus struct {
	control.Control
	status control.Status
}

func (c ofStatus) Status(context.Context) (control.Status, error) { return c.status, nil }

// TestStatusEndsWithWhatItSaw: a script can ask whether all is well.
func TestStatusEndsWithWhatItSaw(t *testing.T) {
	problem := func(level string) []control.Problem {
		return []control.Problem{{ID: "node-lost/m", Level: level, Subjects: []string{"mill"}, Text: "mill is lost", Cure: "start it\nor not", Actions: []control.Action{{Method: "remove", Node: "mill"}}}}
	}
	for name, c := range map[string]struct {
		status control.Status
		code   int
		out    string
	}{
		"well":            {control.Status{Dispatcher: "desk"}, exitOK, "dispatcher  desk"},
		"worth knowing":   {control.Status{Dispatcher: "desk", Problems: problem(control.LevelInfo)}, exitOK, "info: mill is lost\n  → start it\n  → or not\n"},
		"a warning":       {control.Status{Dispatcher: "desk", Problems: problem(control.LevelWarning)}, exitFailed, "warning: mill is lost"},
		"an error":        {control.Status{Dispatcher: "desk", Problems: problem(control.LevelError)}, exitFailed, "error: mill is lost"},
		"nobody leads it": {control.Status{Problems: problem(control.LevelWarning)}, exitOurs, "dispatcher  none"},
	} {
		code, out, stderr := try(t, ofStatus{status: c.status}, "status")
		if code != c.code || stderr != "" {
			t.Errorf("%s: code %d, want %d; %s", name, code, c.code, stderr)
		}
		has(t, name, out, c.out)
	}
	code, out, _ := try(t, ofStatus{status: control.Status{Dispatcher: "desk", Problems: problem(control.LevelError)}}, "status", "--json")
	if code != exitFailed {
		t.Errorf("--json: code %d", code)
	}
	has(t, "--json", out, `"problems":[{"id":"node-lost/m","level":"error","subjects":["mill"],"count":null,"since":null,"text":"mill is lost","cure":"start it\nor not","actions":[{"method":"remove","node":"mill"}]}]`)
	code, _, stderr := try(t, nil, "status")
	if code != exitOurs {
		t.Errorf("nobody: code %d", code)
	}
	has(t, "nobody", stderr, "no dispatcher found")
}
