package quicnet_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/quictest"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// bubble runs a test in virtual time.
func bubble(t *testing.T, f func(t *testing.T)) { t.Helper(); synctest.Test(t, f) }

func TestStreamsCarryFramesAndBytes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := quictest.Pair(t, quictest.NewLAN(1))
		st, err := a.Open(t.Context(), wire.StreamRPC)
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Send(wire.Fault{Kind: "x", Message: "one"}); err != nil {
			t.Fatal(err)
		}
		if _, err := st.Write([]byte("raw")); err != nil {
			t.Fatal(err)
		}
		if err := st.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		kind, in, err := b.Accept(t.Context())
		if err != nil || kind != wire.StreamRPC {
			t.Fatal(kind, err)
		}
		f, err := in.Recv()
		if err != nil || f.Kind != wire.KindFault {
			t.Fatal(f, err)
		}
		rest, err := io.ReadAll(in)
		if err != nil || string(rest) != "raw" {
			t.Fatalf("%q %v", rest, err)
		}
		in.Close()
		st.Close()
	})
}

func TestShutdownLosesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan := quictest.NewLAN(1)
		lan.SetLatency(5*time.Millisecond, time.Millisecond)
		lan.SetLoss(0.02)
		a, b := quictest.Pair(t, lan)
		const streams, size = 20, 100_000
		got := make(chan int)
		go func() {
			for range streams {
				_, in, err := b.Accept(context.Background())
				if err != nil {
					t.Error(err)
					got <- -1
					return
				}
				go func() {
					n, err := io.Copy(io.Discard, in)
					if err != nil {
						t.Error(err)
					}
					in.Close()
					got <- int(n)
				}()
			}
		}()
		go func() {
			for range streams {
				st, err := a.Open(context.Background(), wire.StreamOutput)
				if err != nil {
					t.Error(err)
					return
				}
				st.Write(make([]byte, size))
				st.Close()
			}
			if err := a.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
		}()
		for range streams {
			if n := <-got; n != size {
				t.Fatalf("got %d bytes, want %d", n, size)
			}
		}
		<-b.Done()
		<-a.Done()
		for _, s := range []*quicnet.Session{a, b} {
			if err := s.Err(); !errors.Is(err, quicnet.ErrLeaving) {
				t.Error(err)
			}
		}
	})
}
