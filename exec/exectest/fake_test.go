package exectest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/exec"
)

// follow runs one command of the fake.
func follow(t *testing.T, r *Runner, spec exec.Spec, during func(exec.Run)) (exec.Result, string) {
	t.Helper()
	var out strings.Builder
	spec.Output = func(s exec.Stream, p []byte) { out.WriteString(s.String() + ":" + string(p)) }
	run, err := r.Start(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if during != nil {
		go during(run)
	}
	return run.Wait(), out.String()
}

func TestInterpret(t *testing.T) {
	tests := []struct {
		spec exec.Spec
		code int
		out  string
		took time.Duration
	}{
		{exec.Spec{Shell: "echo a; sleep 2; warn b; exit 3; echo never"}, 3, "stdout:a\nstderr:b\n", 2 * time.Second},
		{exec.Spec{Argv: []string{"/bin/true"}}, 0, "", 0},
		{exec.Spec{Shell: "false"}, 1, "", 0},
		{exec.Spec{Shell: "signal 9"}, 137, "", 0},
		{exec.Spec{Shell: "frobnicate"}, 127, "stderr:sh: frobnicate: not found\n", 0},
		{exec.Spec{Argv: []string{"cat"}, Stdin: strings.NewReader("in")}, 0, "stdout:in", 0},
		{exec.Spec{Null: true}, 0, "", 0},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			at := time.Now()
			res, out := follow(t, new(Runner), tt.spec, nil)
			if res.Code != tt.code || out != tt.out || time.Since(at) != tt.took {
				t.Errorf("%+v: code %d, %q after %v", tt.spec, res.Code, out, time.Since(at))
			}
		})
	}
}

func TestTheEndComesAsForRealProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(Runner)
		at := time.Now()
		res, _ := follow(t, r, exec.Spec{Shell: "sleep 60", Timeout: time.Second}, nil)
		if res.Reason != exec.ReasonTimeout || res.Code != 143 || time.Since(at) != time.Second {
			t.Errorf("%+v after %v", res, time.Since(at))
		}
		at = time.Now()
		res, _ = follow(t, r, exec.Spec{Shell: "stubborn; sleep 60"}, func(p exec.Run) { p.Cancel(3 * time.Second) })
		if res.Reason != exec.ReasonCancelled || res.Code != 137 || time.Since(at) != 3*time.Second {
			t.Errorf("%+v after %v", res, time.Since(at))
		}
		if r.Running() != 0 || len(r.Started()) != 2 {
			t.Errorf("%d running, %d started", r.Running(), len(r.Started()))
		}
	})
}

func TestRefusals(t *testing.T) {
	r := &Runner{Levels: []exec.Level{exec.None}}
	no := errors.New("disk full")
	for reason, spec := range map[exec.Reason]exec.Spec{
		exec.ReasonInvalid:  {},
		exec.ReasonRefused:  {Shell: "true", Level: exec.Basic},
		exec.ReasonHeld:     {Shell: "true", BeforeStart: func() error { return no }},
		exec.ReasonNotFound: {Argv: []string{"frobnicate"}},
	} {
		_, err := r.Start(context.Background(), spec)
		var se *exec.StartError
		if !errors.As(err, &se) || se.Reason != reason {
			t.Errorf("got %v, want %s", err, reason)
		}
	}
	if len(r.Started()) != 0 {
		t.Error("something was started")
	}
}
