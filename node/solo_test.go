package node_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/adauldev/octaskly/node"
	"github.com/adauldev/octaskly/node/bench"
	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

func solo(t testing.TB) control.Control {
	t.Helper()
	cfg := config.Default()
	c, end, err := node.Solo(t.Context(), &cfg, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = end.Close() })
	return c
}

// run submits a task and follows it to its end.
func run(t testing.TB, c control.Control, s task.Spec) (task.Task, string) {
	t.Helper()
	ctx := context.Background()
	r, err := c.Submit(ctx, control.SubmitRequest{Tasks: []control.NewTask{{Spec: s}}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Results[0].ID == 0 {
		t.Fatalf("refused: %s", r.Results[0].Message)
	}
	f, err := c.Follow(ctx, control.FollowRequest{ID: r.Results[0].ID, Output: true})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out strings.Builder
	var last task.Task
	for {
		it, err := f.Next()
		if errors.Is(err, io.EOF) {
			return last, out.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if it.Task != nil {
			last = *it.Task
		}
		for _, ch := range it.Chunks {
			out.Write(ch.Data)
		}
	}
}

func TestSoloRunsACommand(t *testing.T) {
	c := solo(t)
	for _, tc := range []struct {
		name  string
		spec  task.Spec
		state task.State
		code  int32
		out   string
	}{
		{"shell", task.Spec{Shell: "echo hello; echo oops >&2"}, task.Done, 0, "hello\noops\n"},
		{"argv", task.Spec{Argv: []string{"/bin/echo", "a b"}}, task.Done, 0, "a b\n"},
		{"code", task.Spec{Shell: "exit 7"}, task.Failed, 7, ""},
		{"missing", task.Spec{Argv: []string{"/no/such/program"}}, task.Failed, 127, ""},
		{"stdin", task.Spec{Shell: "cat", Stdin: []byte("in")}, task.Done, 0, "in"},
		{"env", task.Spec{Shell: "echo $OCTASKLY_TASK_ID $OCTASKLY_ATTEMPT $X", Env: map[string]string{"X": "y"}}, task.Done, 0, "6 1 y\n"},
		{"large", task.Spec{Shell: "seq 100000"}, task.Done, 0, seq(100000)},
		{"slow", task.Spec{Shell: "echo a; sleep 0.3; echo b"}, task.Done, 0, "a\nb\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, out := run(t, c, tc.spec)
			if got.State != tc.state || got.Last().Exit.Code != tc.code {
				t.Errorf("ended as %s with %+v, want %s with code %d", got.State, got.Last().Exit, tc.state, tc.code)
			}
			if out != tc.out {
				t.Errorf("output has %d bytes, want %d: %.80q", len(out), len(tc.out), out)
			}
		})
	}
}

func seq(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		b.WriteString(task.ID(i).String() + "\n")
	}
	return b.String()
}

func BenchmarkSoloTrue(b *testing.B) {
	c := solo(b)
	for b.Loop() {
		run(b, c, task.Spec{Argv: []string{"/bin/true"}})
	}
}

func BenchmarkSoloNull(b *testing.B) {
	c := solo(b)
	r, err := bench.Run(b.Context(), c, bench.Options{Tasks: max(b.N, 2), Kind: "null", Batch: 500})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(r.Tasks)/r.Elapsed.Seconds(), "tasks/s")
	b.ReportMetric(float64(r.P50.Microseconds()), "p50-us")
}

func TestSoloLargeStdin(t *testing.T) {
	c := solo(t)
	data := strings.Repeat("0123456789abcdef", 1<<16)
	ref, err := c.PutBlob(t.Context(), int64(len(data)), strings.NewReader(data).Read)
	if err != nil {
		t.Fatal(err)
	}
	got, out := run(t, c, task.Spec{Shell: "wc -c", StdinRef: ref})
	if got.State != task.Done || strings.TrimSpace(out) != "1048576" {
		t.Errorf("ended as %s with output %q", got.State, out)
	}
}
