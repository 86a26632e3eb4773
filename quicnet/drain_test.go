package quicnet_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/quictest"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// echo accepts streams, sends back what it reads, and ends them.
func echo(t *testing.T, s *quicnet.Session, wg *sync.WaitGroup) {
	wg.Go(func() {
		for {
			_, st, err := s.Accept(context.Background())
			if err != nil {
				return
			}
			wg.Go(func() {
				if _, err := io.Copy(st, st); err != nil {
					t.Error(err)
				}
				if err := st.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	})
}

// Both sides write on streams of both sides and shut down at once, over a bad
// network: every byte comes back.
func TestShutdownOfBothSidesLosesNothing(t *testing.T) {
	for seed := range uint64(8) {
		bubble(t, func(t *testing.T) {
			lan := quictest.NewLAN(seed)
			lan.SetLatency(3*time.Millisecond, 3*time.Millisecond)
			lan.SetLoss(0.05)
			a, b := quictest.Pair(t, lan)
			var wg sync.WaitGroup
			for _, s := range []*quicnet.Session{a, b} {
				echo(t, s, &wg)
				wg.Go(func() {
					var streams sync.WaitGroup
					for n := range 10 {
						st, err := s.Open(context.Background(), wire.StreamBlob)
						if err != nil {
							if task.KindOf(err) != task.KindUnavailable {
								t.Error(err)
							}
							break // the other side was faster
						}
						streams.Go(func() {
							go func() {
								_, _ = st.Write(make([]byte, 1000*(n+1)))
								_ = st.CloseWrite()
							}()
							if got, err := io.Copy(io.Discard, st); err != nil || got != int64(1000*(n+1)) {
								t.Errorf("seed %d: %d bytes of %d came back: %v", seed, got, 1000*(n+1), err)
							}
							_ = st.Close()
						})
						time.Sleep(time.Millisecond)
					}
					if err := s.Shutdown(context.Background()); err != nil {
						t.Error(err)
					}
					streams.Wait()
				})
			}
			wg.Wait()
			for _, s := range []*quicnet.Session{a, b} {
				if err := s.Err(); !errors.Is(err, quicnet.ErrLeaving) {
					t.Errorf("seed %d: %v", seed, err)
				}
			}
		})
	}
}

func TestShutdownWaitsForOpenStreams(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := quictest.Pair(t, quictest.NewLAN(1))
		st, err := a.Open(t.Context(), wire.StreamWork)
		if err != nil {
			t.Fatal(err)
		}
		_, in, err := b.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- b.Shutdown(context.Background()) }()
		<-a.GoingAway()
		if _, err := a.Open(t.Context(), wire.StreamWork); task.KindOf(err) != task.KindUnavailable {
			t.Error("a stream was opened on a session that goes away:", err)
		}
		time.Sleep(time.Minute)
		select {
		case <-done:
			t.Fatal("it did not wait")
		default:
		}
		if err := st.Send(wire.Release{On: true}); err != nil {
			t.Fatal(err)
		}
		if f, err := in.Recv(); err != nil || f.Kind != wire.KindRelease {
			t.Fatal(f.Kind, err)
		}
		st.Close()
		in.Close()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

func TestShutdownGivesUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := quictest.Pair(t, quictest.NewLAN(1))
		if _, err := a.Open(t.Context(), wire.StreamWork); err != nil { // never ended
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := a.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		<-b.Done()
		if err := a.Shutdown(t.Context()); err != nil { // a second time is harmless
			t.Error(err)
		}
	})
}

func TestShutdownOfALostPeerEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan := quictest.NewLAN(1)
		a, b := quictest.Pair(t, lan)
		lan.Cut("10.0.0.1", "10.0.0.2")
		if err := a.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		<-b.Done()
	})
}

// A stream that is cut short counts as ended for a shutdown, on both sides.
func TestCancelledStreamsDoNotHoldAShutdown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := quictest.Pair(t, quictest.NewLAN(1))
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				_, st, err := b.Accept(context.Background())
				if err != nil {
					return
				}
				_, err = io.Copy(io.Discard, st)
				if err == nil {
					t.Error("a cancelled stream ended in good order")
				}
				st.Cancel(wire.CodeNone)
			}
		})
		for range 5 {
			st, err := a.Open(t.Context(), wire.StreamOutput)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = st.Write(make([]byte, 10_000))
			synctest.Wait()
			st.Cancel(wire.CodeForbidden)
		}
		if err := a.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		wg.Wait()
	})
}

// A sender blocks while nobody reads, and is freed by Cancel or a deadline.
func TestBackPressure(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := quictest.Pair(t, quictest.NewLAN(1))
		st, err := a.Open(t.Context(), wire.StreamOutput)
		if err != nil {
			t.Fatal(err)
		}
		_, in, err := b.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan int, 1)
		go func() {
			n, _ := st.Write(make([]byte, 64<<20))
			done <- n
		}()
		time.Sleep(time.Second)
		select {
		case n := <-done:
			t.Fatalf("%d bytes were taken though nobody reads", n)
		default:
		}
		// Another stream of the session is not held up by this one.
		other, err := a.Open(t.Context(), wire.StreamRPC)
		if err != nil {
			t.Fatal(err)
		}
		_ = other.Send(wire.Fault{Message: "x"})
		_, in2, err := b.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in2.Recv(); err != nil {
			t.Fatal(err)
		}
		go func() { _ = st.Close() }() // while a write is under way: cut short
		if n := <-done; n > 16<<20 {
			t.Errorf("%d bytes were taken", n)
		}
		in.Cancel(wire.CodeNone)
		in2.Close()
		other.Close()
	})
}
