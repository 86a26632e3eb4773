package doctor

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/exec"
	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/discover"
	"github.com/adauldev/octaskly/quicnet/trust"
)

func TestWhatTheDoctorFinds(t *testing.T) {
	fact := func(f discover.Fact) Finding { return findingOfFact(f) }
	for name, c := range map[string]struct {
		got   Finding
		level string
		cure  bool
	}{
		"clock":                 {examineClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)), OK, false},
		"clock in 1970":         {examineClock(time.Unix(60, 0)), Broken, true},
		"much space":            {examineSpace("d", 20_000), OK, false},
		"little space":          {examineSpace("d", 500), Warning, true},
		"no space":              {examineSpace("d", 3), Broken, true},
		"space is not seen":     {examineSpace("d", 0), Info, false},
		"buffers":               {judgeBuffers(7<<20, 7<<20, true), OK, false},
		"small buffers":         {judgeBuffers(208<<10, 7<<20, true), Warning, true},
		"buffers are not seen":  {judgeBuffers(0, 0, false), Info, false},
		"a usual link":          {judgeLink("eth0", 1500), OK, false},
		"a tunnel":              {judgeLink("wg0", 1280), Info, false},
		"a link that is narrow": {judgeLink("ppp0", 576), Warning, true},
		"a rung":                {fact(discover.Fact{Rung: discover.ByProbe, Interface: "eth0", OK: true, Words: "probed"}), OK, false},
		"a rung that fails":     {fact(discover.Fact{Rung: discover.ByMDNS, Words: "no", Hint: "do"}), Warning, true},
		"an address that fails": {fact(discover.Fact{Rung: discover.ByAddress, Words: "no", Hint: "do"}), Broken, true},
	} {
		if c.got.Level != c.level || (c.got.Cure != "") != c.cure || c.got.Text == "" {
			t.Errorf("%s: %+v", name, c.got)
		}
	}
}

func TestTheDoctorOnSandboxes(t *testing.T) {
	var caps exec.Capabilities
	for l := range caps.Levels {
		caps.Levels[l] = exec.LevelInfo{Level: exec.Level(l), Available: exec.Level(l) == exec.None, Reason: "an old kernel"}
	}
	cfg := config.Default()
	for level, want := range map[string]string{"none": Info, "basic": Broken} {
		cfg.SandboxLevel = level
		worst := Info
		for _, f := range examineSandbox(caps, &cfg) {
			if f.Level == Broken {
				worst = Broken
				if !strings.Contains(f.Text, "an old kernel") || f.Cure == "" {
					t.Errorf("%+v", f)
				}
			}
		}
		if worst != want {
			t.Errorf("asked for %s: %s, want %s", level, worst, want)
		}
	}
}

func TestTheDoctorOnMemberships(t *testing.T) {
	path := filepath.Join(t.TempDir(), "1")
	d, err := trust.OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	id, err := d.Identity()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if f := examineMembership(path, now); f.Level != Info || !strings.Contains(f.Cure, "octaskly identity") {
		t.Errorf("no member: %+v", f)
	}
	ca, err := trust.NewCA(now)
	if err != nil {
		t.Fatal(err)
	}
	m, err := ca.Enrol(id, []task.Role{task.RoleWorker}, now)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.SaveMembership(m); err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Time]string{now: OK, m.NotAfter().Add(time.Hour): Broken, time.Unix(0, 0): Broken} {
		if f := examineMembership(path, at); f.Level != want {
			t.Errorf("at %s: %+v", at, f)
		}
	}
	if err := os.WriteFile(filepath.Join(path, "membership"), []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f := examineMembership(path, now); f.Level != Broken {
		t.Errorf("damaged: %+v", f)
	}
}

func TestTheDoctorOnPorts(t *testing.T) {
	conn, err := net.ListenPacket("udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Port = conn.LocalAddr().(*net.UDPAddr).Port
	if f := examinePort(&cfg, nil); f.Level != Warning {
		t.Errorf("a port of another program: %+v", f)
	}
	if f := examinePort(&cfg, []string{"mill"}); f.Level != OK || !strings.Contains(f.Text, "mill") {
		t.Errorf("a port of ours: %+v", f)
	}
	_ = conn.Close()
	if f := examinePort(&cfg, nil); f.Level != OK {
		t.Errorf("a free port: %+v", f)
	}
}

// TestTheDoctorOnPeers: nodes of this machine are no sign that others can be heard.
func TestTheDoctorOnPeers(t *testing.T) {
	local := []net.Addr{&net.IPNet{IP: net.IPv4(10, 0, 0, 1), Mask: net.CIDRMask(24, 32)}, &net.IPNet{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)}}
	at := func(addr string) *heard {
		return &heard{Sighting: discover.Sighting{Self: discover.Self{Name: "mill"}, Addrs: []netip.AddrPort{netip.MustParseAddrPort(addr)}}, ways: []string{"probe"}}
	}
	for name, c := range map[string]struct {
		seen  []*heard
		ends  string
		level string
	}{
		"nobody":          {nil, "no node answered", Info},
		"one here":        {[]*heard{at("10.0.0.1:7878")}, "no node on another machine answered", Info},
		"one on loopback": {[]*heard{at("[::1]:7878")}, "no node on another machine answered", Info},
		"one there":       {[]*heard{at("10.0.0.1:7878"), at("10.0.0.2:7878")}, "mill at 10.0.0.2", OK},
	} {
		seen := map[task.NodeID]*heard{}
		for i, h := range c.seen {
			seen[task.NodeID(rune('a'+i))] = h
		}
		all := judgePeers(seen, local)
		if last := all[len(all)-1]; !strings.HasPrefix(last.Text, c.ends) || last.Level != c.level || (last.Cure != "") != (c.level == Info) {
			t.Errorf("%s: %+v", name, all)
		}
	}
}

// TestTheDoctorAtAnAddress: an address at which nobody is, and one that answers.
func TestTheDoctorAtAnAddress(t *testing.T) {
	silent, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	cfg := config.Default()
	cfg.Dispatcher = silent.LocalAddr().String()
	all := examineDiscovery(t.Context(), &cfg)
	if !slices.ContainsFunc(all, func(f Finding) bool {
		return f.Level == Broken && strings.Contains(f.Text, cfg.Dispatcher+" did not answer") && strings.Contains(f.Cure, "firewalls")
	}) {
		t.Errorf("%+v", all)
	}
}
