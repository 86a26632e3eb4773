package node_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	osexec "os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// An assailant is this test's own program started in the namespace of another
// host: the variable says which, and its arguments.
const assailantVar = "OCTASKLY_TEST_ASSAILANT"

// assailants by name.
var assailants = map[string]func(args []string) error{"flood": flood, "spoof": spoof}

// assail is what TestMain does in an assailant.
func assail(what string) int {
	args := strings.Fields(what)
	if err := assailants[args[0]](args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// assail starts an assailant on host i; wait returns what it printed once it has
// ended by itself, stop ends it.
func (l *lan) assail(i int, what ...string) (wait func() string, stop func()) {
	l.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := osexec.CommandContext(ctx, "ip", "netns", "exec", l.ns(i), os.Args[0])
	c.Env = append(os.Environ(), assailantVar+"="+strings.Join(what, " "))
	var out strings.Builder
	c.Stdout, c.Stderr = &out, &out
	l.must(c.Start())
	ended := make(chan error, 1)
	go func() { ended <- c.Wait(); close(ended) }()
	stop = func() { cancel(); <-ended }
	l.t.Cleanup(stop)
	return func() string {
		if err := <-ended; err != nil {
			l.t.Errorf("%v: %v: %s", what, err, out.String())
		}
		return strings.TrimSpace(out.String())
	}, stop
}

// flood sends bad beginnings of QUIC connections: address, how many a second, for
// how long.
func flood(args []string) error {
	var rate int
	if _, err := fmt.Sscan(args[1], &rate); err != nil {
		return err
	}
	long, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	var socks []net.Conn
	for range 50 {
		c, err := net.Dial("udp", args[0])
		if err != nil {
			return err
		}
		socks = append(socks, c)
	}
	var packets [][]byte
	r := rand.New(rand.NewPCG(7, 7))
	for range 1024 {
		packets = append(packets, badBeginning(r))
	}
	begin, sent := time.Now(), 0
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for now := begin; now.Sub(begin) < long; now = <-tick.C {
		for due := int(now.Sub(begin).Seconds() * float64(rate)); sent < due; sent++ {
			p := packets[r.IntN(len(packets))]
			binary.BigEndian.PutUint64(p[6:], r.Uint64()) // never the same connection
			_, _ = socks[sent%len(socks)].Write(p)
		}
	}
	fmt.Println(sent)
	return nil
}

// badBeginning looks like the first packet of a QUIC connection, with a token or
// without one, and holds rubbish.
func badBeginning(r *rand.Rand) []byte {
	b := make([]byte, 1200)
	for i := range b {
		b[i] = byte(r.UintN(256))
	}
	b[0] = 0xc3
	binary.BigEndian.PutUint32(b[1:], 1)
	b[5], b[14] = 8, 8 // lengths of both connection ids
	token := 0
	if r.IntN(4) == 0 {
		token = 40
	}
	b[23] = byte(token)
	binary.BigEndian.PutUint16(b[24+token:], 0x4000|uint16(len(b)-26-token))
	return b
}

// memory is a field of a process's status, in bytes.
func (l *lan) memory(pid int, field string) int64 {
	l.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	l.must(err)
	for line := range strings.Lines(string(b)) {
		var kb int64
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			_, err := fmt.Sscan(rest, &kb)
			l.must(err)
			return kb << 10
		}
	}
	l.t.Fatalf("process %d has no %s", pid, field)
	return 0
}

// watchPeak lets the kernel count the largest memory of a process from now on.
func (l *lan) watchPeak(pid int) (now int64) {
	l.t.Helper()
	l.must(os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0o600))
	return l.memory(pid, "VmRSS")
}

// times are how long calls took.
type times []time.Duration

func (x times) at(p float64) time.Duration {
	slices.Sort(x)
	return x[int(p*float64(len(x)-1))].Round(10 * time.Microsecond)
}

func (x times) String() string {
	return fmt.Sprintf("%d calls, p50 %v, p99 %v", len(x), x.at(0.5), x.at(0.99))
}

// call makes small calls, one after the other, for so long; each must be
// answered.
func (l *lan) call(c control.Control, id task.ID, long time.Duration) (gets, submits times) {
	l.t.Helper()
	for end := time.Now().Add(long); time.Now().Before(end); {
		ctx, cancel := context.WithTimeout(l.t.Context(), 10*time.Second)
		begin := time.Now()
		if _, err := c.Get(ctx, id); err != nil {
			l.t.Fatalf("a call failed after %v: %v", time.Since(begin), err)
		}
		gets = append(gets, time.Since(begin))
		if len(gets)%10 == 0 {
			begin = time.Now()
			if _, err := c.Submit(ctx, waiting); err != nil {
				l.t.Fatalf("a submit failed after %v: %v", time.Since(begin), err)
			}
			submits = append(submits, time.Since(begin))
		}
		cancel()
	}
	return gets, submits
}

// waiting is a task that no node has the label for.
var waiting = control.SubmitRequest{Tasks: []control.NewTask{{Spec: task.Spec{Shell: "true", Need: task.Need{Labels: map[string]string{"at": "nowhere"}}}}}}

// TestFlood: while a host that is no member sends ten thousand bad beginnings a
// second to the dispatcher's port, a member goes on over its session, and the
// dispatcher's memory stays. How much slower it goes on is in the log.
func TestFlood(t *testing.T) {
	long := time.Second
	if os.Getenv("OCTASKLY_LONG") != "" {
		long = 10 * time.Second
	}
	l := newLAN(t, 3)
	pid := l.pair()
	c, end := l.controlOf(2)
	defer end()
	r, err := c.Submit(t.Context(), waiting)
	l.must(err)
	id := r.Results[0].ID

	l.call(c, id, long/4) // fills pools
	gets, submits := l.call(c, id, long)
	before := l.watchPeak(pid)
	wait, _ := l.assail(3, "flood", "10.77.0.1:7878", "10000", long.String())
	floodGets, floodSubmits := l.call(c, id, long)
	sent := wait()
	grown := l.memory(pid, "VmHWM") - before
	afterGets, afterSubmits := l.call(c, id, long)
	t.Logf("%s bad beginnings in %v; memory grew by %d KiB", sent, long, grown>>10)
	t.Logf("get:    quiet %v; flooded %v; quiet again %v", gets, floodGets, afterGets)
	t.Logf("submit: quiet %v; flooded %v; quiet again %v", submits, floodSubmits, afterSubmits)
	if grown > 64<<20 {
		t.Errorf("memory grew by %d MiB", grown>>20)
	}
}

// pair starts a dispatcher on host 1 and a worker on host 2, and says the
// dispatcher's process.
func (l *lan) pair() (pid int) {
	l.t.Helper()
	l.start(1, append([]string{"--headless", "dispatcher", "--max-jobs", "0"}, rootNode...)...)
	l.start(2, append([]string{"--headless", "worker", "--join-file", l.codeFile()}, rootNode...)...)
	l.until("both nodes up", func() (bool, string) {
		out, err := l.run(1, "nodes", "--json")
		return strings.Count(out, `"state":"up"`) == 2, fmt.Sprint(out, err)
	})
	return l.pids[1]
}
