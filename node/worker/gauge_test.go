package worker

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// pipeLink gives the worker one stream.
type pipeLink struct{ s wire.Stream }

func (l pipeLink) Open(context.Context, wire.StreamKind) (wire.Stream, error) { return l.s, nil }
func (pipeLink) RTT() time.Duration                                           { return 0 }

// Where there were thousands of processes, a look at them took longer than a
// lease; the heartbeat waited for it, and the worker was lost with all it ran.
func TestHeartbeatsDoNotWaitForALook(t *testing.T) {
	looking, seen := make(chan struct{}, 1), make(chan struct{})
	w, err := New(Options{
		Dir: t.TempDir(), Boot: "b", Capacity: task.Capacity{CPU: 1000, Slots: 1, MemoryMB: 64},
		Load: func() task.Load {
			select {
			case looking <- struct{}{}:
			default:
			}
			<-seen
			return task.Load{Load1: 7}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	ours, theirs := wire.NewConn(a, wire.LimitAfter), wire.NewConn(b, wire.LimitAfter)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- w.Serve(ctx, pipeLink{ours}) }()
	if _, err := wire.Recv1[wire.Register](theirs); err != nil {
		t.Fatal(err)
	}
	if err := theirs.Send(wire.Accepted{Term: 1, BeatMs: 10, LeaseMs: 50, Name: "w"}); err != nil {
		t.Fatal(err)
	}
	_ = theirs.SetReadDeadline(time.Now().Add(time.Minute))
	beat := func() wire.Beat {
		m, err := wire.Recv1[wire.Beat](theirs)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	<-looking // it goes on while heartbeats come
	for range 5 {
		if m := beat(); m.Load.Load1 != 0 {
			t.Fatalf("%+v", m.Load)
		}
	}
	close(seen)
	for beat().Load.Load1 != 7 {
	}
	cancel()
	theirs.Cancel(wire.CodeShutdown)
	<-served
	w.stop()
}
