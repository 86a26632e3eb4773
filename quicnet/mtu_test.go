package quicnet_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/quictest"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// smallLAN is a dispatcher, a worker and the switch between them.
func smallLAN(t *testing.T) (lan *quictest.LAN, worker, dispatcher *quictest.Node) {
	t.Helper()
	lan = quictest.NewLAN(1)
	lan.SetLatency(time.Millisecond, 0)
	c := quictest.NewCluster(t)
	b, err := lan.Listen("10.0.0.2:7878")
	if err != nil {
		t.Fatal(err)
	}
	a, err := lan.Listen("10.0.0.1:7878")
	if err != nil {
		t.Fatal(err)
	}
	dispatcher = quictest.Start(t, b, c.Member(t, task.RoleDispatcher), func(cfg *quicnet.Config) {
		cfg.OnSession = func(ctx context.Context, s *quicnet.Session) {
			for {
				_, in, err := s.Accept(ctx)
				if err != nil {
					return
				}
				_, _ = io.Copy(in, in)
				_ = in.Close()
			}
		}
	})
	return lan, quictest.Start(t, a, c.Member(t), nil), dispatcher
}

// transfer sends bytes over a new session and reads them back.
func transfer(ctx context.Context, worker, dispatcher *quictest.Node, size int) error {
	s, ok := worker.Session(dispatcher.Membership.ID())
	if !ok {
		var err error
		if s, err = worker.Dial(ctx, dispatcher.Addr, dispatcher.Membership.ID()); err != nil {
			return err
		}
	}
	st, err := s.Open(ctx, wire.StreamOutput)
	if err != nil {
		return err
	}
	defer st.Close()
	stop := context.AfterFunc(ctx, func() { st.Cancel(wire.CodeShutdown) })
	defer stop()
	go func() { _, _ = st.Write(make([]byte, size)); _ = st.CloseWrite() }()
	n, err := io.Copy(io.Discard, st)
	if err == nil && n != int64(size) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// TestNarrowLink: over a tunnel with the least MTU that IPv6 allows a session
// comes about at once and carries everything.
func TestNarrowLink(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan, worker, dispatcher := smallLAN(t)
		lan.SetMTU(1280)
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := transfer(ctx, worker, dispatcher, 1<<20); err != nil {
			t.Fatalf("over an MTU of 1280, after %v: %v", time.Since(begin), err)
		}
		if took := time.Since(begin); took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// TestPathThatShrinks: when packets that were carried vanish from now on, the
// session may be lost, but the next one carries everything.
func TestPathThatShrinks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan, worker, dispatcher := smallLAN(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := transfer(ctx, worker, dispatcher, 4<<20); err != nil { // packets grow meanwhile
			t.Fatal(err)
		}
		lan.SetMTU(1240)
		begin, tries := time.Now(), 0
		for err := error(nil); tries == 0 || err != nil; tries++ {
			if err = transfer(ctx, worker, dispatcher, 1<<20); ctx.Err() != nil {
				t.Fatalf("nothing gets through after %v: %v", time.Since(begin), err)
			}
		}
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("it took %v and %d sessions until something got through", took, tries)
		}
	})
}
