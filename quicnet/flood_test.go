package quicnet_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/quictest"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// badInitial looks like the beginning of a QUIC connection and holds rubbish.
func badInitial(r *rand.Rand) []byte {
	b := make([]byte, 1200)
	for i := range b {
		b[i] = byte(r.UintN(256))
	}
	b[0] = 0xc3
	binary.BigEndian.PutUint32(b[1:], 1)
	b[5], b[14], b[23] = 8, 8, 0 // lengths of both connection ids and of the token
	binary.BigEndian.PutUint16(b[24:], 0x4000|uint16(len(b)-26))
	return b
}

// Fifty thousand bad beginnings in five seconds, from fifty addresses: a session
// that stands goes on, memory stays, what is sent back is less than what came,
// and afterwards a member gets in.
func TestFloodOfBeginnings(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lan, c := quictest.NewLAN(1), quictest.NewCluster(t)
		tg := newTarget(t, lan, c)
		n := quictest.Start(t, sock(t, lan, "10.0.0.2:1"), c.Member(t), nil)
		s, err := n.Dial(t.Context(), tg.Addr, "")
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(4, 4))
		var socks []net.PacketConn
		for i := range 50 {
			socks = append(socks, sock(t, lan, fmt.Sprintf("10.0.9.%d:1", i+1)))
		}
		to := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(tg.Addr))
		before := rss(t, true)
		sent, back := 0, 0
		b := make([]byte, 2000)
		for range 500 {
			for range 100 {
				p := badInitial(r)
				sent += len(p)
				_, _ = socks[r.IntN(len(socks))].WriteTo(p, to)
			}
			time.Sleep(10 * time.Millisecond)
			for _, k := range socks {
				_ = k.SetReadDeadline(time.Now().Add(time.Microsecond))
				for {
					got, _, err := k.ReadFrom(b)
					if err != nil {
						break
					}
					back += got
				}
			}
		}
		if grown := rss(t, false) - before; grown > 64<<20 && !raceDetector {
			t.Errorf("resident memory grew by %d MiB", grown>>20)
		}
		t.Logf("%d bytes sent, %d came back", sent, back)
		if back == 0 || back > sent {
			t.Errorf("%d bytes came back for %d", back, sent)
		}
		st, err := s.Open(t.Context(), wire.StreamRPC)
		if err != nil {
			t.Fatal(err)
		}
		st.Close()
		if s.Err() != nil {
			t.Error(s.Err())
		}
		time.Sleep(6 * time.Second) // the half-open ones are gone
		synctest.Wait()
		tg.alive(t, lan, c)
		s.Close(quicnet.CodeLeaving, "")
	})
}
