package text

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
)

func readAll(t *testing.T, l *Lines) (all []Line) {
	t.Helper()
	for {
		line, ok := l.Next(t.Context())
		if !ok {
			return all
		}
		all = append(all, line)
	}
}

// TestLines: every face reads a file of tasks with the same fields, and refuses the
// same ones. The dashboard once ran a task that asked for a node that is not there,
// and for very-strict, here and at no level at all.
func TestLines(t *testing.T) {
	const file = "\ufeff" + `{"command":"a","on":"mill","sandbox_level":"very-strict","retry_count":3}` + "\n\n" +
		`{"command":"b","comand":"typo"}` + "\n" +
		`{"command":"c","retries":2}` + "\n" +
		"make -j4\n# not a task\n" +
		`{"command":"d","priority":101}`
	for commands, want := range map[bool][]string{
		true:  {"", `did you mean "command"?`, `did you mean "retry_count"?`, "", "priority is 101"},
		false: {"", `did you mean "command"?`, `did you mean "retry_count"?`, "not valid JSON", "not valid JSON", "priority is 101"},
	} {
		l := NewLines(strings.NewReader(file))
		l.Commands = commands
		got := readAll(t, l)
		if len(got) != len(want) {
			t.Fatalf("commands %v: %d lines, want %d: %+v", commands, len(got), len(want), got)
		}
		for i, w := range want {
			if err := got[i].Err; (err == nil) != (w == "") || err != nil && !strings.Contains(err.Error()+task.HintOf(err), w) {
				t.Errorf("commands %v, line %d: %v (%s), want %q", commands, got[i].Number, err, task.HintOf(err), w)
			}
		}
		if s := got[0].Task.Spec; s.Need.On != "mill" || s.Need.Sandbox != "very-strict" || s.Retries != 3 || s.Priority != task.PriorityNormal {
			t.Errorf("the first line is read as %+v", s)
		}
		if commands && (got[3].Task.Spec.Shell != "make -j4" || got[3].Number != 5) {
			t.Errorf("a command is read as %+v", got[3])
		}
	}
}

// TestLinesBeginAsTheDefaults: a field that a line names wins; null names nothing; and
// no line sees what another one wrote.
func TestLinesBeginAsTheDefaults(t *testing.T) {
	l := NewLines(strings.NewReader(`{"command":"a","env":{"A":"line"},"tags":["y"],"retry_on":[4],"cpus":3}
{"command":"b","name":"own","idempotency_key":"mine","tags":null,"labels":{"os":"own"}}
plain`))
	l.Commands = true
	l.Defaults.Key = "K"
	l.Defaults.Spec = task.Spec{
		Name: "n", Priority: 75, Tags: []string{"x"}, RetryOn: []int32{3}, Env: map[string]string{"A": "flag", "B": "flag"},
		Need: task.Need{CPU: 2000, Labels: map[string]string{"os": "linux"}},
	}
	got := readAll(t, l)
	if len(got) != 3 {
		t.Fatalf("%d lines", len(got))
	}
	for i, want := range []string{
		"K:1 n 75 [y] [4] map[A:line B:flag] 3000 map[os:linux]",
		"mine own 75 [x] [3] map[A:flag B:flag] 2000 map[os:own]",
		"K:3 n 75 [x] [3] map[A:flag B:flag] 2000 map[os:linux]",
	} {
		n := got[i].Task
		s := &n.Spec
		if line := fmt.Sprint(n.Key, " ", s.Name, " ", s.Priority, " ", s.Tags, " ", s.RetryOn, " ", s.Env, " ", int64(s.Need.CPU), " ", s.Need.Labels); got[i].Err != nil || line != want {
			t.Errorf("line %d is %s, want %s (%v)", i+1, line, want, got[i].Err)
		}
	}
}

func TestLinesEnd(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	l := NewLines(strings.NewReader("{}\n{}\n"))
	if line, ok := l.Next(ctx); !ok || line.Err == nil {
		t.Errorf("after its context ended: %+v, %v", line, ok)
	}
	if line, ok := l.Next(ctx); ok {
		t.Errorf("it goes on with %+v", line)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestEndlessLine(t *testing.T) {
	got := readAll(t, NewLines(io.MultiReader(strings.NewReader("{\"command\":\"true\"}\n"), endless{})))
	if len(got) != 2 || got[0].Err != nil || !errors.Is(got[1].Err, errEndlessLine) {
		t.Errorf("%d lines, %v", len(got), got[len(got)-1].Err)
	}
}
