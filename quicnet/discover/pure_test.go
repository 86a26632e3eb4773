package discover

import (
	"bytes"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/mdns/v2"

	"github.com/adauldev/octaskly/queue/task"
)

func someone() Self {
	return Self{Node: task.NodeID(strings.Repeat("b", 52)), Cluster: strings.Repeat("c", 52), Name: "mühle 1", Port: 7878, Version: 3, Asks: true, Dispatches: true}
}

func TestPacketsRoundTrip(t *testing.T) {
	full := someone()
	bare := Self{Node: full.Node, Port: 1, Version: 1}
	looker := bare
	looker.Looks = true
	for _, s := range []Self{full, bare, looker} {
		for _, kind := range []byte{kindProbe, kindAnswer} {
			p := packet{Self: s, kind: kind, nonce: 77}
			b := p.encode()
			got, err := decode(b)
			if err != nil || got != p {
				t.Errorf("%+v: %+v, %v", p, got, err)
			}
			if kind == kindAnswer && len(b) > probeSize || kind == kindProbe && len(b) != probeSize {
				t.Errorf("%c of %d bytes", kind, len(b))
			}
		}
	}
	long := packet{Self: full, kind: kindAnswer}
	long.Name = "\x1b[2J" + strings.Repeat("ü", 100)
	if got, err := decode(long.encode()); err != nil || len(got.Name) > maxName || strings.Contains(got.Name, "\x1b") {
		t.Errorf("%q %v", got.Name, err)
	}
}

func TestPacketsThatAreRefused(t *testing.T) {
	good := packet{Self: someone(), kind: kindProbe}.encode()
	for name, change := range map[string]func([]byte) []byte{
		"empty":           func([]byte) []byte { return nil },
		"short":           func(b []byte) []byte { return b[:len(b)-1] },
		"long":            func(b []byte) []byte { return append(b, 0) },
		"a QUIC packet":   func(b []byte) []byte { b[0] = 0x40; return b },
		"other magic":     func(b []byte) []byte { b[1] = 'X'; return b },
		"other kind":      func(b []byte) []byte { b[4] = 'Q'; return b },
		"other form":      func(b []byte) []byte { b[5] = 2; return b },
		"unknown flag":    func(b []byte) []byte { b[8] = 0x80; return b },
		"port 0":          func(b []byte) []byte { b[9], b[10] = 0, 0; return b },
		"version 0":       func(b []byte) []byte { b[6], b[7] = 0, 0; return b },
		"bad node id":     func(b []byte) []byte { b[19] = 'A'; return b },
		"bad cluster id":  func(b []byte) []byte { b[71] = 0; return b },
		"name too long":   func(b []byte) []byte { b[123] = 65; return b },
		"escape in name":  func(b []byte) []byte { b[nameAt] = 0x1b; return b },
		"broken utf-8":    func(b []byte) []byte { b[nameAt] = 0xff; return b },
		"filler not zero": func(b []byte) []byte { b[len(b)-1] = 1; return b },
	} {
		if p, err := decode(change(bytes.Clone(good))); err == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func FuzzPacket(f *testing.F) {
	f.Add(packet{Self: someone(), kind: kindProbe}.encode())
	f.Add(packet{Self: someone(), kind: kindAnswer}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := decode(b)
		if err == nil && !bytes.Equal(p.encode(), b) {
			t.Fatalf("%x is read as %+v, which is written as %x", b, p, p.encode())
		}
	})
}

func TestText(t *testing.T) {
	addrs := []netip.Addr{netip.MustParseAddr("192.168.1.9"), netip.MustParseAddr("fd00::1")}
	s := someone()
	pairs := s.text(addrs)
	size := 0
	for _, p := range pairs {
		size += len(p) + 1
		if len(p) > 255 {
			t.Errorf("%q is too long for a record", p)
		}
	}
	if size > 400 {
		t.Errorf("%d bytes of text", size)
	}
	got, at, ok := parseText(pairs)
	if !ok || got != s || !reflect.DeepEqual(at, addrs) {
		t.Errorf("%+v %v %v", got, at, ok)
	}
	if got, _, ok := parseText(append(pairs, "new=x")); !ok || got != s {
		t.Error("an unknown key matters")
	}
	with := func(extra ...string) []string { return append(slices.Clone(pairs), extra...) }
	without := func(key string) []string {
		return slices.DeleteFunc(slices.Clone(pairs), func(p string) bool { return strings.HasPrefix(p, key+"=") })
	}
	for name, bad := range map[string][]string{
		"nothing": nil, "no id": without("id"), "no port": without("p"), "no version": without("v"), "twice": with("p=1"),
		"large": with("x=" + strings.Repeat("y", 2000)), "bad address": append(without("a"), "a=1.2.3"),
		"bad port": append(without("p"), "p=70000"), "bad name": append(without("n"), "n=\x1b[1m"), "bad cluster": append(without("c"), "c=x"),
	} {
		if got, _, ok := parseText(bad); ok {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if _, at, _ := parseText(append(without("a"), "a=127.0.0.1,0.0.0.0,224.0.0.1,255.255.255.255,ff02::1,fe80::1,10.0.0.1")); len(at) != 1 {
		t.Errorf("addresses that nobody may dial: %v", at)
	}
}

func FuzzText(f *testing.F) {
	f.Add(strings.Join(someone().text([]netip.Addr{netip.MustParseAddr("10.0.0.1")}), "\n"))
	f.Fuzz(func(t *testing.T, in string) {
		s, addrs, ok := parseText(strings.Split(in, "\n"))
		if !ok {
			return
		}
		again, _, ok := parseText(s.text(addrs))
		if !ok || again != s || len(addrs) > maxAddrs {
			t.Fatalf("%q is read as %+v", in, s)
		}
	})
}

func TestServicesOfOthersAreIgnored(t *testing.T) {
	f := New(Config{Self: func() Self { return Self{} }})
	event := func(service string, addr string) mdns.ServiceEvent {
		e := mdns.ServiceEvent{Instance: mdns.ServiceInstance{Service: service, Port: 9}, Addr: netip.MustParseAddr(addr)}
		for _, p := range someone().text(nil) {
			k, v, _ := strings.Cut(p, "=")
			e.Instance.Text = append(e.Instance.Text, mdns.NewTXTString(k, v))
		}
		return e
	}
	f.sawService(event("_ipp._tcp", "10.0.0.1"))
	f.sawService(event(mdnsService, "224.0.0.1")) // and no other address
	many := event(mdnsService, "10.0.0.1")
	for i := range 100 {
		many.Instance.Text = append(many.Instance.Text, mdns.NewTXTString(fmt.Sprint(i), ""))
	}
	f.sawService(many)
	if len(f.out) != 0 {
		t.Errorf("%d sightings", len(f.out))
	}
	f.sawService(event(mdnsService, "10.0.0.1"))
	if s := <-f.out; s.Via != ByMDNS || s.Addrs[0].String() != "10.0.0.1:7878" {
		t.Errorf("%+v", s)
	}
}

func TestPause(t *testing.T) {
	for _, c := range []struct {
		n, connected int
		chance       float64
		want         time.Duration
	}{
		{0, 0, 0.5, 500 * time.Millisecond},
		{1, 9, 0.5, time.Second},
		{3, 0, 0, 4 * time.Second},
		{4, 0, 0.5, 30 * time.Second},
		{4, 0, 0, 24 * time.Second},
		{99, 2, 1, 36 * time.Second},
		{4, 3, 0.5, 5 * time.Minute},
	} {
		if got := pause(c.n, c.connected, c.chance); got != c.want {
			t.Errorf("pause(%d, %d, %v) is %s, want %s", c.n, c.connected, c.chance, got, c.want)
		}
	}
}

func TestBroadcasts(t *testing.T) {
	for in, want := range map[string]string{
		"10.77.0.3/24": "10.77.0.255", "192.168.5.9/22": "192.168.7.255", "10.1.2.3/8": "10.255.255.255", "172.16.0.5/30": "172.16.0.7",
		"10.0.0.1/31": "", "10.0.0.1/32": "", "fe80::1/64": "ff02::1%eth0",
	} {
		i := Interface{Name: "eth0", Prefixes: []netip.Prefix{netip.MustParsePrefix(in)}}
		var got []string
		for _, a := range i.broadcasts() {
			got = append(got, a.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", in, got, want)
		}
	}
	lo := Interface{Name: "lo", Loopback: true, Prefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8"), netip.MustParsePrefix("::1/128")}}
	if got := lo.broadcasts(); len(got) != 1 || got[0].String() != "127.255.255.255" {
		t.Error(got)
	}
	eth := Interface{Name: "eth0", Prefixes: []netip.Prefix{netip.MustParsePrefix("fe80::1/64"), netip.MustParsePrefix("fd00::5/64"), netip.MustParsePrefix("10.0.0.5/24")}}
	if got := fmt.Sprint(reachable([]Interface{lo, eth})); got != "[10.0.0.5 fd00::5]" {
		t.Error(got)
	}
	eth.Prefixes = eth.Prefixes[:1]
	if got := fmt.Sprint(reachable([]Interface{lo, eth})); got != "[fe80::1]" {
		t.Error(got)
	}
}

func TestParseSeed(t *testing.T) {
	for in, want := range map[string]string{
		"mill-01": "mill-01 0", "mill-01:7": "mill-01 7", "10.0.0.1": "10.0.0.1 0", "10.0.0.1:7878": "10.0.0.1 7878",
		"::1": "::1 0", "[::1]": "::1 0", "[::1]:5": "::1 5", "fe80::1%eth0": "fe80::1%eth0 0",
	} {
		h, p, err := ParseSeed(in)
		if got := fmt.Sprint(h, " ", p); err != nil || got != want {
			t.Errorf("%q: %s, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "a b", "a:0", "a:99999", "a:x", ":5", "[::1", "a\x1b", strings.Repeat("a", 999), "1:2:3:4"} {
		if _, _, err := ParseSeed(in); task.KindOf(err) != task.KindUsage || task.HintOf(err) == "" {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func FuzzSeed(f *testing.F) {
	f.Add("[::1]:5")
	f.Add("mill-01:7878")
	f.Fuzz(func(t *testing.T, s string) {
		if h, _, err := ParseSeed(s); err == nil && (h == "" || strings.ContainsAny(h, " \n")) {
			t.Fatalf("%q gave the host %q", s, h)
		}
	})
}

func TestAnswersAreLimited(t *testing.T) {
	var a answers
	at := time.Unix(1e9, 0)
	n := 0
	for i := range 5000 {
		if a.allow(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), at) {
			n++
		}
	}
	if n != maxAskers || len(a.last) > maxAskers {
		t.Errorf("%d answers, %d addresses", n, len(a.last))
	}
	if !a.allow(netip.MustParseAddr("10.9.9.9"), at.Add(time.Second)) {
		t.Error("later nobody is answered")
	}
}
