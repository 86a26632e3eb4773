package quicnet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/quictest"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// loopback is two sessions over real UDP sockets.
func loopback(b *testing.B) (*quicnet.Session, *quicnet.Session) {
	b.Helper()
	sock := func() net.PacketConn {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			b.Fatal(err)
		}
		return c
	}
	return quictest.PairOn(b, quictest.NewCluster(b), sock(), sock())
}

// BenchmarkMessages sends 200-byte messages in batches of 128 a write, decodes
// each, and reports messages a second.
func BenchmarkMessages(b *testing.B) {
	for _, batch := range []int{1, 16, 128} {
		b.Run(map[int]string{1: "alone", 16: "by16", 128: "by128"}[batch], func(b *testing.B) { benchMessages(b, batch) })
	}
}

func benchMessages(b *testing.B, batch int) {
	from, to := loopback(b)
	m := wire.Fault{Kind: "conflict", Message: string(make([]byte, 180))}
	done := make(chan error, 1)
	go func() {
		_, in, err := to.Accept(context.Background())
		for err == nil {
			var f wire.Frame
			if f, err = in.Recv(); err == nil {
				var got wire.Fault
				err = wire.Decode(f, &got)
			}
		}
		done <- err
	}()
	st, err := from.Open(b.Context(), wire.StreamWork)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var out []byte
	for n := 0; b.Loop(); n++ {
		if out, err = wire.Append(out, m); err != nil {
			b.Fatal(err)
		}
		if (n+1)%batch == 0 {
			if _, err := st.Write(out); err != nil {
				b.Fatal(err)
			}
			out = out[:0]
		}
	}
	if _, err := st.Write(out); err != nil {
		b.Fatal(err)
	}
	_ = st.CloseWrite()
	if err := <-done; !errors.Is(err, io.EOF) {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// BenchmarkBytes sends raw bytes, as output streams do.
func BenchmarkBytes(b *testing.B) {
	from, to := loopback(b)
	const chunk = 64 << 10
	done := make(chan error, 1)
	go func() {
		_, in, err := to.Accept(context.Background())
		buf := make([]byte, chunk)
		for err == nil {
			_, err = in.Read(buf)
		}
		done <- err
	}()
	st, err := from.Open(b.Context(), wire.StreamOutput)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(chunk)
	buf := make([]byte, chunk)
	for b.Loop() {
		if _, err := st.Write(buf); err != nil {
			b.Fatal(err)
		}
	}
	_ = st.CloseWrite()
	if err := <-done; !errors.Is(err, io.EOF) {
		b.Fatal(err)
	}
}

// BenchmarkRoundTrip is one small message there and back on an open stream.
func BenchmarkRoundTrip(b *testing.B) {
	from, to := loopback(b)
	go func() {
		_, in, err := to.Accept(context.Background())
		for err == nil {
			if _, err = in.Recv(); err == nil {
				err = in.Send(wire.Fault{Message: "pong"})
			}
		}
	}()
	st, err := from.Open(b.Context(), wire.StreamRPC)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := st.Send(wire.Fault{Message: "ping"}); err != nil {
			b.Fatal(err)
		}
		if _, err := st.Recv(); err != nil {
			b.Fatal(err)
		}
	}
	st.Cancel(wire.CodeNone)
}

// BenchmarkOpen is a stream of its own for one request and its reply.
func BenchmarkOpen(b *testing.B) {
	from, to := loopback(b)
	go func() {
		for {
			_, in, err := to.Accept(context.Background())
			if err != nil {
				return
			}
			if _, err := in.Recv(); err == nil {
				_ = in.Send(wire.Fault{Message: "pong"})
			}
			_ = in.Close()
		}
	}()
	for b.Loop() {
		st, err := from.Open(b.Context(), wire.StreamRPC)
		if err != nil {
			b.Fatal(err)
		}
		if err := st.Send(wire.Fault{Message: "ping"}); err != nil {
			b.Fatal(err)
		}
		if _, err := st.Recv(); err != nil {
			b.Fatal(err)
		}
		_ = st.Close()
	}
}
