package remote

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"testing"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// socketLab serves a Control over a Unix socket.
type socketLab struct {
	ctx  context.Context
	addr string
}

func (l socketLab) OpenRPC(context.Context) (wire.Stream, error) {
	c, err := net.Dial("unix", l.addr)
	if err != nil {
		return nil, err
	}
	return wire.NewConn(c, wire.LimitAfter), nil
}

func overSocket(b *testing.B, c control.Control) *Client {
	l := socketLab{ctx: b.Context(), addr: filepath.Join(b.TempDir(), "s")}
	ln, err := net.Listen("unix", l.addr)
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				_ = Serve(context.Background(), wire.NewConn(conn, wire.LimitAfter), serviceOf(c))
			}()
		}
	}()
	client := NewClient(l, Options{})
	b.Cleanup(func() { _ = client.Close(); _ = ln.Close() })
	return client
}

// nothing answers at once.
type nothing struct{ control.Control }

func (nothing) Get(context.Context, task.ID) (task.Task, error) {
	return task.Task{ID: 1, Spec: task.Spec{Shell: "true"}, State: task.Done, Attempts: make([]task.Attempt, 1)}, nil
}

func (nothing) Submit(_ context.Context, r control.SubmitRequest) (control.SubmitReply, error) {
	out := make([]control.Submitted, len(r.Tasks))
	for i := range out {
		out[i].ID = task.ID(1_000_000 + i)
	}
	return control.SubmitReply{Results: out}, nil
}

// The yardstick: one byte there and one back over the same kind of socket.
func BenchmarkBareRoundTrip(b *testing.B) {
	ln, err := net.Listen("unix", filepath.Join(b.TempDir(), "s"))
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	go func() {
		c, err := ln.Accept()
		if err == nil {
			_, _ = io.Copy(c, c)
		}
	}()
	c, err := net.Dial("unix", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	buf := make([]byte, 1)
	for b.Loop() {
		if _, err := c.Write(buf); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(c, buf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	c := overSocket(b, nothing{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Get(b.Context(), 1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSubmitOne(b *testing.B) {
	c := overSocket(b, nothing{})
	tasks := news(1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Submit(b.Context(), control.SubmitRequest{Tasks: tasks}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSubmitParallel(b *testing.B) {
	c := overSocket(b, nothing{})
	tasks := news(1)
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.Submit(b.Context(), control.SubmitRequest{Tasks: tasks}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSubmitBulk(b *testing.B) {
	c := overSocket(b, nothing{})
	tasks := news(100_000)
	n := 0
	for b.Loop() {
		if _, err := c.Submit(b.Context(), control.SubmitRequest{Tasks: tasks}); err != nil {
			b.Fatal(err)
		}
		n += len(tasks)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "tasks/s")
}
