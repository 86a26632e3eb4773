package discover

import (
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/pion/mdns/v2"
)

// The library tells of every packet: more than can be true is noticed, however
// little of it makes sense.
func TestFloodOfAnswersIsNoticed(t *testing.T) {
	p4, err := multicast4()
	if err != nil {
		t.Skip("SKIPPED: UDP port 5353 is not to be had:", err)
	}
	over := make(chan struct{}, 1)
	rate := &packetRate{over: func() { over <- struct{}{} }}
	conn, err := mdns.NewServer(p4, nil, mdns.WithIncludeLoopback(true), mdns.WithLoggerFactory(quietFactory{slog.New(slog.DiscardHandler), rate}))
	if err != nil {
		_ = p4.Close()
		t.Skip("SKIPPED: no mDNS here:", err)
	}
	defer conn.Close()
	c, err := net.Dial("udp4", "127.0.0.1:5353")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	end := time.After(20 * time.Second)
	for {
		_, _ = c.Write([]byte("rubbish"))
		select {
		case <-over:
			return
		case <-end:
			t.Fatal("nobody noticed")
		default:
		}
	}
}

func TestPacketRate(t *testing.T) {
	n := 0
	r := packetRate{over: func() { n++ }}
	now := time.Unix(1000, 0)
	for i := range 10 * (packetsMost - 1) { // as many as may be, second by second
		r.packet(now.Add(time.Duration(i/(packetsMost-1)) * time.Second))
	}
	if n != 0 {
		t.Errorf("%d times too many", n)
	}
	for range 3 * packetsMost {
		r.packet(now.Add(time.Minute))
	}
	if n != 1 {
		t.Errorf("%d times too many in one second", n)
	}
}
