package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// lan is a small network of hosts in namespaces of its own. Nothing touches the
// machine's network.
type lan struct {
	t    *testing.T
	name string
	bin  string
	dir  string
	pids map[int]int // of the node that was started last on each host
}

// lans counts them, for names.
var lans atomic.Int32

// program builds the real program once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "octaskly-lan-")
	if err != nil {
		return "", err
	}
	programDir = dir
	out := filepath.Join(dir, "octaskly")
	build := osexec.Command("go", "build", "-o", out, "..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if b, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, b)
	}
	return out, nil
})

var programDir string // set by program

func TestMain(m *testing.M) {
	if what := os.Getenv(assailantVar); what != "" {
		os.Exit(assail(what))
	}
	code := m.Run()
	if programDir != "" {
		_ = os.RemoveAll(programDir)
	}
	os.Exit(code)
}

// newLAN makes n hosts on one switch, or skips where that is not possible.
func newLAN(t *testing.T, n int) *lan {
	t.Helper()
	if testing.Short() {
		t.Skip("a network of namespaces takes seconds")
	}
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: network namespaces need root")
	}
	if _, err := osexec.LookPath("ip"); err != nil {
		t.Skip("SKIPPED: network namespaces need iproute2")
	}
	bin, err := program()
	if err != nil {
		t.Fatal(err)
	}
	l := &lan{t: t, name: fmt.Sprintf("ot%dn%d", os.Getpid(), lans.Add(1)), dir: t.TempDir(), bin: bin, pids: map[int]int{}}
	sw := l.name + "s"
	l.ip("netns", "add", sw)
	t.Cleanup(func() { _ = osexec.Command("ip", "netns", "del", sw).Run() })
	l.ip("-n", sw, "link", "add", "br0", "type", "bridge", "forward_delay", "0")
	l.ip("-n", sw, "link", "set", "br0", "up")
	for i := 1; i <= n; i++ {
		ns, v := l.ns(i), fmt.Sprintf("v%d", i)
		l.ip("netns", "add", ns)
		t.Cleanup(func() { _ = osexec.Command("ip", "netns", "del", ns).Run() })
		l.ip("-n", ns, "link", "set", "lo", "up")
		l.ip("-n", sw, "link", "add", v, "type", "veth", "peer", "name", "eth0", "netns", ns)
		l.ip("-n", sw, "link", "set", v, "master", "br0", "up")
		l.ip("-n", ns, "addr", "add", fmt.Sprintf("10.77.0.%d/24", i), "dev", "eth0")
		l.ip("-n", ns, "link", "set", "eth0", "up")
	}
	return l
}

func (l *lan) ns(i int) string { return fmt.Sprintf("%sh%d", l.name, i) }

func (l *lan) ip(args ...string) {
	l.t.Helper()
	if out, err := osexec.Command("ip", args...).CombinedOutput(); err != nil {
		l.t.Skipf("SKIPPED: ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// command is the program on host i, with a home of its own.
func (l *lan) command(ctx context.Context, i int, args ...string) *osexec.Cmd {
	home := filepath.Join(l.dir, l.ns(i))
	if err := os.MkdirAll(filepath.Join(home, "run"), 0o700); err != nil {
		l.t.Fatal(err)
	}
	c := osexec.CommandContext(ctx, "ip", append([]string{"netns", "exec", l.ns(i), l.bin}, args...)...)
	c.Env = append(os.Environ(), "HOME="+home, "XDG_RUNTIME_DIR="+filepath.Join(home, "run"),
		"XDG_DATA_HOME=", "XDG_CONFIG_HOME=", "XDG_STATE_HOME=", fmt.Sprintf("OCTASKLY_NAME=host%d", i))
	return c
}

// start runs a node on host i until stop is called or the test ends.
func (l *lan) start(i int, args ...string) (stop func()) {
	l.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := l.command(ctx, i, args...)
	var log bytes.Buffer
	c.Stderr = &log
	if err := c.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.pids[i] = c.Process.Pid
	stop = sync.OnceFunc(func() {
		cancel()
		_ = c.Wait()
	})
	l.t.Cleanup(func() {
		stop()
		if l.t.Failed() {
			l.t.Logf("host %d:\n%s", i, log.String())
		}
	})
	return stop
}

// run is what a command on host i prints.
func (l *lan) run(i int, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := l.command(ctx, i, args...).Output()
	return strings.TrimSpace(string(out)), err
}

// until waits for a condition, and says what was seen instead.
func (l *lan) until(what string, ok func() (bool, string)) {
	l.t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		good, seen := ok()
		if good {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			l.t.Fatalf("%s did not happen within a minute; last seen: %s", what, seen)
		}
	}
}

// runsOn waits until a task runs on host i.
func (l *lan) runsOn(i int) {
	l.t.Helper()
	l.until(fmt.Sprintf("a task on host %d", i), func() (bool, string) {
		out, err := l.run(1, "run", "--on", fmt.Sprintf("host%d", i), "--timeout", "10s", "echo done")
		return err == nil && out == "done", fmt.Sprint(out, err)
	})
}

// deaf takes multicast away from host i, and with it mDNS.
func (l *lan) deaf(i int) { l.ip("-n", l.ns(i), "link", "set", "eth0", "multicast", "off") }

// TestEveryRungAlone: with the other three ways of finding nodes off or of no
// use, the fourth suffices.
func TestEveryRungAlone(t *testing.T) {
	worker := []string{"--headless", "worker"}
	mute := func(i int) []string { return []string{"--discovery-port", fmt.Sprint(5600 + i)} } // probes meet nobody
	for name, rung := range map[string]func(l *lan){
		"mdns": func(l *lan) {
			l.start(1, append(mute(1), "--headless", "dispatcher")...)
			l.start(2, append(mute(2), worker...)...)
			l.seen(2)
		},
		"probe": func(l *lan) {
			l.deaf(1)
			l.deaf(2)
			l.start(1, "--headless", "dispatcher")
			l.start(2, worker...)
			l.seen(2)
		},
		"address": func(l *lan) {
			l.deaf(1)
			l.deaf(2)
			l.start(1, append(mute(1), "--headless", "dispatcher")...)
			invite := l.invite()
			stop := l.start(2, append(mute(2), "--headless", "worker", "--dispatcher", "10.77.0.1", "--join", invite)...)
			l.runsOn(2)
			stop()
			l.start(2, append(mute(2), worker...)...) // where the dispatcher was
			l.runsOn(2)
		},
		"peers": func(l *lan) {
			for i := 1; i <= 3; i++ {
				l.deaf(i)
			}
			l.start(1, append(mute(1), "--headless", "dispatcher")...)
			var stop func()
			for i := 2; i <= 3; i++ {
				invite := l.invite()
				stop = l.start(i, append(mute(i), "--headless", "worker", "--dispatcher", "10.77.0.1", "--join", invite)...)
				l.runsOn(i)
			}
			stop()
			// Host 3 forgets the dispatcher and knows another worker only.
			home := filepath.Join(l.dir, l.ns(3), ".local/share/octaskly/nodes/1")
			l.must(os.Remove(filepath.Join(home, "dispatcher")))
			stop = l.start(3, append(mute(3), "--headless", "worker", "--dispatcher", "10.77.0.2")...)
			l.runsOn(3)
			stop()
			// The same from what it was told by the dispatcher in earlier days.
			l.must(os.Remove(filepath.Join(home, "dispatcher")))
			l.start(3, append(mute(3), worker...)...)
			l.runsOn(3)
		},
	} {
		t.Run(name, func(t *testing.T) { rung(newLAN(t, 3)) })
	}
}

// seen waits until host 1 sees host i, and says how long that took.
func (l *lan) seen(i int) {
	l.t.Helper()
	begin := time.Now()
	l.until(fmt.Sprintf("seeing host %d", i), func() (bool, string) {
		out, err := l.run(1, "nodes", "--json")
		return strings.Contains(out, fmt.Sprintf(`"name":"host%d"`, i)), fmt.Sprint(out, err)
	})
	l.t.Logf("seen %v after it was started", time.Since(begin).Round(10*time.Millisecond))
}

// invite is a code that host 1 made, once it dispatches.
func (l *lan) invite(args ...string) (code string) {
	l.t.Helper()
	l.until("an invite", func() (bool, string) {
		out, err := l.run(1, append([]string{"invite"}, args...)...)
		code = out
		return err == nil, fmt.Sprint(out, err)
	})
	return code
}

func (l *lan) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// TestLANWithoutAddresses: three machines that have never met find each other,
// two are let in by the codes they show, and tasks run there.
func TestLANWithoutAddresses(t *testing.T) {
	l := newLAN(t, 3)
	l.start(1, "--headless", "dispatcher", "--max-jobs", "0")
	for i := 2; i <= 3; i++ {
		l.start(i, "--headless", "worker")
	}
	l.until("seeing two nodes that ask", func() (bool, string) {
		out, _ := l.run(1, "nodes", "--json")
		return strings.Count(out, `"state":"asks"`) == 2, out
	})
	if out, err := l.run(2, "submit", "true"); err == nil {
		t.Fatalf("a node that is no member could submit: %s", out)
	}
	if out, err := l.run(1, "nodes", "admit", "0000-0000"); err == nil {
		t.Fatalf("a wrong code let somebody in: %s", out)
	}
	for i := 2; i <= 3; i++ {
		out, err := l.run(i, "identity", "--json")
		if err != nil {
			t.Fatal(err)
		}
		var id struct {
			Code string `json:"code"`
		}
		if err := json.Unmarshal([]byte(out), &id); err != nil || id.Code == "" {
			t.Fatalf("host %d shows no code: %s", i, out)
		}
		if out, err := l.run(1, "nodes", "admit", id.Code); err != nil {
			t.Fatalf("admit host %d: %v %s", i, err, out)
		}
	}
	l.until("two workers up", func() (bool, string) {
		out, _ := l.run(1, "nodes", "--json")
		return strings.Count(out, `"state":"up"`) == 3, out
	})
	for i := 2; i <= 3; i++ {
		where := fmt.Sprintf("host%d", i)
		if out, err := l.run(3, "run", "--on", where, "echo ran on $OCTASKLY_TASK_ID"); err != nil || !strings.HasPrefix(out, "ran on") {
			t.Errorf("run on %s from host 3: %v %q", where, err, out)
		}
	}
	if out, err := l.run(1, "nodes", "remove", "--yes", "host3"); err != nil {
		t.Fatalf("remove: %v %s", err, out)
	}
	l.until("host 3 being shut out", func() (bool, string) {
		out, err := l.run(3, "ps")
		var said *osexec.ExitError
		return errors.As(err, &said) && strings.Contains(string(said.Stderr), "was removed from the cluster"), fmt.Sprint(out, err)
	})
	l.until("host 3 being a stranger", func() (bool, string) {
		out, err := l.run(1, "nodes", "--json")
		return strings.Contains(out, `"state":"foreign"`) && strings.Count(out, `"state":"up"`) == 2 && !strings.Contains(out, `"state":"lost"`), fmt.Sprint(out, err)
	})
}

// TestIPv6Only: where no machine has an address of IPv4, not even for itself, all is
// as with one.
func TestIPv6Only(t *testing.T) {
	l := newLAN(t, 2)
	for i := 1; i <= 2; i++ {
		for _, dev := range []string{"lo", "eth0"} {
			l.ip("-n", l.ns(i), "-4", "addr", "flush", "dev", dev)
		}
		l.until("an address of the link", func() (bool, string) {
			out, err := osexec.Command("ip", "-n", l.ns(i), "-6", "addr", "show", "dev", "eth0", "-tentative").Output()
			return err == nil && bytes.Contains(out, []byte("fe80::")), string(out)
		})
	}
	l.start(1, "--headless", "dispatcher")
	l.start(2, "--headless", "worker")
	l.seen(2)
	out, err := l.run(2, "identity", "--json")
	var id struct {
		Code string `json:"code"`
	}
	if err != nil || json.Unmarshal([]byte(out), &id) != nil || id.Code == "" {
		t.Fatalf("no code: %v %s", err, out)
	}
	if out, err := l.run(1, "nodes", "admit", id.Code); err != nil {
		t.Fatalf("admit: %v %s", err, out)
	}
	l.runsOn(2)
}

// TestJoinWithoutAddress: a code is all that a machine needs that runs no node,
// however it is typed; where nobody answers, the words say where was looked.
func TestJoinWithoutAddress(t *testing.T) {
	l := newLAN(t, 3)
	l.start(1, "--headless", "dispatcher")
	code := strings.ToLower(strings.NewReplacer("-", " ", "0", "O").Replace(l.invite()))
	if out, err := l.run(2, "join", code); err != nil {
		t.Fatal(out, err)
	}
	if out, err := l.run(2, "run", "echo from a machine without a node"); err != nil || out != "from a machine without a node" {
		t.Errorf("%q %v", out, err)
	}
	if out, err := l.run(1, "nodes", "--json"); err != nil || strings.Contains(out, `"state":"asks"`) {
		t.Errorf("who only joined is no node that asks: %v %s", err, out)
	}
	l.ip("-n", l.name+"s", "link", "set", "v3", "down")
	_, err := l.run(3, "join", code)
	var said *osexec.ExitError
	if !errors.As(err, &said) || !strings.Contains(string(said.Stderr), "probe on eth0: probed 10.77.0.255:5555") {
		t.Errorf("%v: %s", err, said.Stderr)
	}
}
