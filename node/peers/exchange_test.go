package peers

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/discover"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

func newID(t *testing.T) task.NodeID {
	t.Helper()
	id, err := trust.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id.ID()
}

func TestImplausibleHintsAreDropped(t *testing.T) {
	self, other := newID(t), newID(t)
	hint := func(addrs ...string) wire.PeerHint { return wire.PeerHint{Node: other, Name: "mill", Addrs: addrs} }
	for name, c := range map[string]struct {
		hint wire.PeerHint
		near bool
		want string
	}{
		"an address":          {hint("10.0.0.7:7878"), false, "10.0.0.7:7878"},
		"mapped":              {hint("[::ffff:10.0.0.7]:1"), false, "10.0.0.7:1"},
		"the good of several": {hint("x", "0.0.0.0:1", "224.0.0.1:1", "10.0.0.7:0", "[2001:db8::1]:9"), false, "[2001:db8::1]:9"},
		"loopback":            {hint("127.0.0.1:7878"), false, ""},
		"loopback from here":  {hint("127.0.0.1:7878"), true, "127.0.0.1:7878"},
		"no address":          {hint(), false, ""},
		"a name":              {hint("mill:7878"), false, ""},
		"of this node":        {wire.PeerHint{Node: self, Addrs: []string{"10.0.0.7:7878"}}, false, ""},
		"of no node":          {wire.PeerHint{Node: "nobody", Addrs: []string{"10.0.0.7:7878"}}, false, ""},
		"old":                 {wire.PeerHint{Node: other, Addrs: []string{"10.0.0.7:7878"}, SeenAgo: seenFor.Milliseconds() + 1}, false, ""},
		"of the future":       {wire.PeerHint{Node: other, Addrs: []string{"10.0.0.7:7878"}, SeenAgo: -1}, false, ""},
	} {
		got := ""
		for _, s := range plausible(wire.Peers{Items: []wire.PeerHint{c.hint}}, self, "cluster", c.near) {
			for _, a := range s.Addrs {
				got += a.String()
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	var flood wire.Peers
	for range 3 * wire.MaxPeers {
		h := wire.PeerHint{Node: newID(t)}
		for p := range 40 {
			h.Addrs = append(h.Addrs, fmt.Sprintf("10.0.0.1:%d", p+1))
		}
		flood.Items = append(flood.Items, h)
	}
	all := plausible(flood, self, "cluster", false)
	if len(all) != wire.MaxPeers || len(all[0].Addrs) != wire.MaxPeerAddrs {
		t.Errorf("%d hints of %d addresses were taken", len(all), len(all[0].Addrs))
	}
}

// TestOwnWordsCountMore: what a node says of itself is not changed by what others
// say of it, save that it may be found at more addresses.
func TestOwnWordsCountMore(t *testing.T) {
	at := func(s string) []netip.AddrPort { return []netip.AddrPort{netip.MustParseAddrPort(s)} }
	own := seenNode{Sighting: discover.Sighting{Self: discover.Self{Name: "mill", Asks: true}, Addrs: at("10.0.0.7:1"), Via: discover.ByProbe}}
	told := discover.Sighting{Self: discover.Self{Name: "evil"}, Addrs: at("10.0.0.66:1"), Via: discover.ByPeers}
	for name, got := range map[string]seenNode{"told later": merge(own, told), "told before": merge(seenNode{Sighting: told}, own.Sighting)} {
		if got.Name != "mill" || !got.Asks || got.Via != discover.ByProbe || len(got.Addrs) != 2 || got.Addrs[0] != own.Addrs[0] {
			t.Errorf("%s: %+v", name, got)
		}
	}
	many := own
	for p := range 40 {
		many = merge(many, discover.Sighting{Addrs: at(fmt.Sprintf("10.0.0.8:%d", p+1)), Via: discover.ByMDNS})
	}
	if len(many.Addrs) > 17 {
		t.Errorf("%d addresses are kept", len(many.Addrs))
	}
}

func TestExchangesAreLimited(t *testing.T) {
	var x exchanges
	now, id := time.Now(), newID(t)
	for i, want := range []bool{true, false, false} {
		if x.allow(id, now.Add(time.Duration(i)*time.Second)) != want {
			t.Errorf("question %d: %v", i, !want)
		}
	}
	if !x.allow(id, now.Add(answerEvery)) || !x.allow(newID(t), now) {
		t.Error("somebody was refused who asked in time")
	}
	for range 3 * maxAskers {
		x.allow(task.NodeID(fmt.Sprint(len(x.asked), time.Now())), now)
	}
	if len(x.asked) > maxAskers {
		t.Errorf("%d askers are remembered", len(x.asked))
	}
	if !x.askNow(now) || x.askNow(now.Add(time.Second)) || !x.askNow(now.Add(askEvery)) {
		t.Error("this node asks too often or never")
	}
}

func TestKeptPeers(t *testing.T) {
	dir := t.TempDir()
	id := newID(t)
	text := string(id) + " 10.0.0.7:7878\nnobody 10.0.0.8:1\n" + string(id) + " mill:1\n" + string(id) + "\n\n"
	if err := os.WriteFile(filepath.Join(dir, peersFile), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := keptPeers(dir); len(got) != 1 || got[0] != (Place{"10.0.0.7:7878", id}) {
		t.Errorf("%v", got)
	}
	if err := os.WriteFile(filepath.Join(dir, peersFile), []byte(strings.Repeat("x", 1<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := keptPeers(dir); got != nil {
		t.Errorf("%v", got)
	}
}

// TestSeenIsBounded: whoever makes nodes up has room for a few, and does not
// crowd out those that answer probes.
func TestSeenIsBounded(t *testing.T) {
	var p seenList
	now := time.Now()
	see := func(via discover.Rung, addr string) task.NodeID {
		s := discover.Sighting{Self: discover.Self{Node: newID(t)}, Addrs: []netip.AddrPort{netip.MustParseAddrPort(addr)}, Via: via, At: now}
		p.enter(s)
		return s.Node
	}
	probed := []task.NodeID{see(discover.ByProbe, "10.0.0.1:7878"), see(discover.ByProbe, "10.0.0.2:7878")}
	for i := range 2 * maxSeen {
		see(discover.ByProbe, "10.0.0.66:9")
		see(discover.ByMDNS, fmt.Sprintf("10.1.%d.%d:9", i/200, i%200))
		if len(p.seen) > maxSeen {
			t.Fatalf("%d nodes are kept", len(p.seen))
		}
	}
	one := 0
	for _, x := range p.seen {
		if x.Addrs[0].Addr() == netip.MustParseAddr("10.0.0.66") {
			one++
		}
	}
	if one > maxSeenOne {
		t.Errorf("%d nodes at one address", one)
	}
	for _, id := range probed {
		if _, ok := p.seen[id]; !ok {
			t.Error("a node that answered was crowded out")
		}
	}
	// An older record does not undo what the node itself said lately.
	p.enter(discover.Sighting{Self: discover.Self{Node: probed[0], Asks: true}, Via: discover.ByMDNS, At: now.Add(time.Minute)})
	if p.seen[probed[0]].Asks {
		t.Error("an old record counts more than a probe")
	}
	p.enter(discover.Sighting{Self: discover.Self{Node: probed[0], Asks: true}, Via: discover.ByMDNS, At: now.Add(time.Minute + seenFor)})
	if !p.seen[probed[0]].Asks {
		t.Error("what was probed long ago counts for ever")
	}
}

func TestLogLinesAreLimited(t *testing.T) {
	var x logLimit
	now, lines := time.Now(), 0
	for range 10 * logLinesAMinute {
		if _, ok := x.allow(now); ok {
			lines++
		}
	}
	if others, ok := x.allow(now.Add(time.Minute)); lines != logLinesAMinute || !ok || others != 9*logLinesAMinute {
		t.Errorf("%d lines, then %v %d", lines, ok, others)
	}
}
