package node_test

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// spoof makes up nodes by mDNS and by probes, answers every question of mDNS with
// its own address, says goodbye for whoever announces something, and repeats what
// real nodes say of themselves with another address: device, the broadcast
// address, its own address, the real cluster and dispatcher.
func spoof(args []string) error {
	dev, err := net.InterfaceByName(args[0])
	if err != nil {
		return err
	}
	group := &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353}
	heard, err := net.ListenMulticastUDP("udp4", dev, group)
	if err != nil {
		return err
	}
	own, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(args[2]), Port: 7878})
	if err != nil {
		return err
	}
	s := &spoofer{own: own, group: group, ip: [4]byte(net.ParseIP(args[2]).To4()), cluster: args[3], real: args[4]}
	go s.answer(heard)
	for n := 0; ; n++ {
		s.say(group)
		for _, to := range []string{args[1] + ":5555", "10.77.0.1:7878", "10.77.0.2:7878"} {
			at, err := net.ResolveUDPAddr("udp4", to)
			if err != nil {
				return err
			}
			_, _ = own.WriteTo(s.probe(n, at.Port == 5555), at)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

type spoofer struct {
	own           *net.UDPConn
	group         *net.UDPAddr
	ip            [4]byte
	cluster, real string
}

func madeUp() string {
	var b [32]byte
	_, _ = rand.Read(b[:])
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// probe is a probe or an answer of a node that does not exist.
func (s *spoofer) probe(n int, ask bool) []byte {
	b := make([]byte, 192)
	copy(b, "\x00OCTA\x01")
	if ask {
		b[4] = 'P'
	}
	b[7], b[8] = 1, byte(n%4) // asks, dispatches
	binary.BigEndian.PutUint16(b[9:], 9)
	copy(b[19:], madeUp())
	if b[8]&1 == 0 {
		copy(b[71:], s.cluster)
	}
	b[123] = 4
	copy(b[124:], "evil")
	if !ask {
		return b[:128]
	}
	return b
}

// say announces made-up nodes and the real dispatcher at a false address.
func (s *spoofer) say(to net.Addr) {
	for i := range 4 {
		id, text := madeUp(), []string{"v=1", "p=9", "n=evil", "d=1", "c=" + s.cluster}
		switch i {
		case 0:
			id, text = s.real, []string{"v=1", "p=9", "n=host1", "q=1"}
		case 1:
			text = []string{"v=1", "p=9", "n=evil", "q=1"}
		}
		_, _ = s.own.WriteTo(s.instance(id, append(text, "id="+id)), to)
	}
}

func mustName(s string) dnsmessage.Name { return dnsmessage.MustNewName(s) }

func (s *spoofer) instance(id string, text []string) []byte {
	service, inst, host := mustName("_octaskly._udp.local."), mustName(id+"._octaskly._udp.local."), mustName("oct-"+id+".local.")
	head := func(n dnsmessage.Name) dnsmessage.ResourceHeader {
		return dnsmessage.ResourceHeader{Name: n, Class: dnsmessage.ClassINET, TTL: 4500}
	}
	m := dnsmessage.Message{Header: dnsmessage.Header{Response: true, Authoritative: true}, Answers: []dnsmessage.Resource{
		{Header: head(service), Body: &dnsmessage.PTRResource{PTR: inst}},
		{Header: head(inst), Body: &dnsmessage.SRVResource{Port: 9, Target: host}},
		{Header: head(inst), Body: &dnsmessage.TXTResource{TXT: text}},
		{Header: head(host), Body: &dnsmessage.AResource{A: s.ip}},
	}}
	b, _ := m.Pack()
	return b
}

// answer answers whatever is asked, and takes back whatever is said.
func (s *spoofer) answer(heard *net.UDPConn) {
	b := make([]byte, 9000)
	for {
		n, from, err := heard.ReadFromUDP(b)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if from.IP.Equal(net.IP(s.ip[:])) || m.Unpack(b[:n]) != nil {
			continue
		}
		if m.Response {
			for i := range m.Answers {
				m.Answers[i].Header.TTL = 0
			}
			if bye, err := m.Pack(); err == nil {
				_, _ = s.own.WriteTo(bye, s.group)
			}
			continue
		}
		s.say(from)
		for _, q := range m.Questions {
			r := dnsmessage.Message{Header: dnsmessage.Header{Response: true, Authoritative: true}, Answers: []dnsmessage.Resource{
				{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 4500}, Body: &dnsmessage.AResource{A: s.ip}},
			}}
			if out, err := r.Pack(); err == nil {
				_, _ = s.own.WriteTo(out, from)
			}
		}
	}
}

// TestSpoofer: on a network where a host answers everything, takes back what
// others announce and makes up nodes by the thousand, a cluster works on: tasks
// run, a worker and the dispatcher come back after a restart, a node that shows a
// code is let in by it. What is kept of strangers is bounded.
func TestSpoofer(t *testing.T) {
	l := newLAN(t, 4)
	pid := l.pair()
	about := func(i int) (id struct{ ID, Cluster, Code string }) {
		out, _ := l.run(i, "identity", "--json") // there may be no node yet
		_ = json.Unmarshal([]byte(out), &id)
		return id
	}
	long := time.Second
	if os.Getenv("OCTASKLY_LONG") != "" {
		long = 20 * time.Second
	}
	c, end := l.controlOf(2)
	defer end()
	r, err := c.Submit(t.Context(), waiting)
	l.must(err)
	quiet, _ := l.call(c, r.Results[0].ID, long)
	self := about(1)
	before := l.watchPeak(pid)
	peak := func() int64 { return l.memory(pid, "VmHWM") - before }
	_, stopSpoofer := l.assail(3, "spoof", "eth0", "10.77.0.255", "10.77.0.3", self.Cluster, self.ID)
	rows := 0
	l.until("a table full of made-up nodes", func() (bool, string) {
		out, err := l.run(1, "nodes", "--json")
		rows = max(rows, strings.Count(out, `"id":`))
		return strings.Count(out, `"name":"evil`) >= 10, fmt.Sprint(out, err)
	})
	spoofed, _ := l.call(c, r.Results[0].ID, long)
	t.Logf("get: quiet %v; spoofed %v; memory grew by %d KiB", quiet, spoofed, peak()>>10)
	if peak() > 64<<20 {
		t.Errorf("memory grew by %d MiB", peak()>>20)
	}
	l.runsOn(2)
	l.until("mDNS being left alone", func() (bool, string) {
		out, err := l.run(1, "status", "--json")
		return strings.Contains(out, "somebody makes nodes up"), fmt.Sprint(out, err)
	})

	stop := l.start(4, append([]string{"--headless", "worker"}, rootNode...)...)
	begin := time.Now()
	l.until("host 4 being let in", func() (bool, string) {
		id := about(4)
		if id.Code == "" {
			return false, "it shows no code"
		}
		out, err := l.run(1, "nodes", "admit", id.Code)
		return err == nil, fmt.Sprint(out, err)
	})
	l.runsOn(4)
	t.Logf("a node without an address was let in %v after its start", time.Since(begin).Round(time.Millisecond))
	stop()
	begin = time.Now()
	l.start(4, append([]string{"--headless", "worker"}, rootNode...)...)
	l.runsOn(4)
	t.Logf("a worker was back %v after its restart", time.Since(begin).Round(time.Millisecond))

	out, err := l.run(1, "nodes", "--json")
	l.must(err)
	rows = max(rows, strings.Count(out, `"id":`))
	t.Logf("at most %d nodes were listed; memory grew by %d KiB, with a join", rows, peak()>>10)
	if rows > 256+3 {
		t.Errorf("%d nodes are listed", rows)
	}
	stopSpoofer()
}
