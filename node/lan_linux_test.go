package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
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
	l := &lan{t: t, name: fmt.Sprintf("ot%d", os.Getpid()), dir: t.TempDir()}
	l.bin = filepath.Join(l.dir, "octaskly")
	build := osexec.Command("go", "build", "-o", l.bin, "..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
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

// start runs a node on host i until the test ends.
func (l *lan) start(i int, args ...string) {
	l.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := l.command(ctx, i, args...)
	var log bytes.Buffer
	c.Stderr = &log
	if err := c.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		cancel()
		_ = c.Wait()
		if l.t.Failed() {
			l.t.Logf("host %d:\n%s", i, log.String())
		}
	})
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
		return err != nil, out
	})
}
