package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/quictest"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// sessionOpener opens rpc streams on a session.
type sessionOpener struct{ s *quicnet.Session }

func (o sessionOpener) OpenRPC(ctx context.Context) (wire.Stream, error) {
	st, err := o.s.Open(ctx, wire.StreamRPC)
	if err != nil {
		return nil, err
	}
	return st, nil
}

// overQUIC is a client and a Control with a session over real sockets between.
func overQUIC(t testing.TB, c control.Control) *Client {
	udp := func() net.PacketConn {
		s, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	dialed, accepted := quictest.PairOn(t, quictest.NewCluster(t), udp(), udp())
	ctx, cancel := context.WithCancel(context.Background())
	var served sync.WaitGroup
	served.Go(func() {
		for {
			_, st, err := accepted.Accept(ctx)
			if err != nil {
				return
			}
			served.Go(func() { _ = Serve(ctx, st, serviceOf(c)) })
		}
	})
	client := NewClient(sessionOpener{dialed}, Options{Patience: -1})
	t.Cleanup(func() {
		_ = client.Close()
		cancel()
		served.Wait()
	})
	return client
}

func TestOverQUIC(t *testing.T) {
	c := &cluster{}
	c.follow = func(control.FollowRequest) (control.Follower, error) {
		f := listed(item(task.Running, chunk(1, 1, "a"), chunk(1, 2, "b")), item(task.Done))
		close(f.more)
		return f, nil
	}
	c.put = func(size int64, read func([]byte) (int, error)) (string, error) {
		if size > 2<<20 {
			return "", task.Errorf(task.KindDisk, "no room") // before anything is read
		}
		n, err := io.Copy(io.Discard, readerFunc(read))
		if err != nil || n != size {
			return "", task.Errorf(task.KindDisk, "no room for %d bytes", size)
		}
		return "ref", nil
	}
	client := overQUIC(t, c)
	reply, err := client.Submit(t.Context(), control.SubmitRequest{Tasks: news(9000)})
	if err != nil || reply.Results[8999].ID != 9000 {
		t.Errorf("submit: %v", err)
	}
	f, err := client.Follow(t.Context(), control.FollowRequest{ID: 1})
	if err != nil {
		t.Fatal(err)
	}
	if out, _ := collect(t, f); out != "ab" {
		t.Errorf("followed %q", out)
	}
	zeroes := func(p []byte) (int, error) { return len(p), nil }
	if ref, err := client.PutBlob(t.Context(), 2<<20, zeroes); err != nil || ref != "ref" {
		t.Errorf("put: %q, %v", ref, err)
	}
	if _, err := client.PutBlob(t.Context(), 1<<40, zeroes); task.KindOf(err) != task.KindDisk {
		t.Errorf("refused early: %v", err)
	}
	if _, err := client.Get(t.Context(), 99_999); task.KindOf(err) != task.KindNotFound {
		t.Errorf("get: %v", err)
	}
}

// A stream's own error has a kind too; it must not pass for the node's answer.
func TestTransportErrorsAreNotAnswers(t *testing.T) {
	p := newPipe(failing{}, new(sync.WaitGroup))
	_, call, err := p.ask(t.Context(), func(seq uint64) wire.Message {
		return requestOf(control.GetMethod.Method, seq, 0, "", control.TaskRequest{})
	}, func(wire.Frame) error { return nil })
	if err == nil {
		err = <-call.answer
	}
	if !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ wire.Stream }

func (failing) Recv() (wire.Frame, error) {
	return wire.Frame{}, task.Errorf(task.KindUnavailable, "the session ended")
}
func (failing) Write(p []byte) (int, error) { return len(p), nil }
func (failing) Cancel(wire.Code)            {}

func BenchmarkGetOverQUIC(b *testing.B) {
	c := overQUIC(b, nothing{})
	for b.Loop() {
		if _, err := c.Get(b.Context(), 1); err != nil {
			b.Fatal(err)
		}
	}
}

// The yardstick for it: one byte there and one back on one stream.
func BenchmarkBareRoundTripOverQUIC(b *testing.B) {
	udp := func() net.PacketConn {
		s, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	dialed, accepted := quictest.PairOn(b, quictest.NewCluster(b), udp(), udp())
	go func() {
		_, st, err := accepted.Accept(b.Context())
		if err == nil {
			_, _ = io.Copy(struct{ io.Writer }{st}, struct{ io.Reader }{st})
		}
	}()
	st, err := dialed.Open(b.Context(), wire.StreamRPC)
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 1)
	for b.Loop() {
		if _, err := st.Write(buf); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(st, buf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSubmitBulkOverQUIC(b *testing.B) {
	c := overQUIC(b, nothing{})
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
