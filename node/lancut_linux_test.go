package node_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/client"
	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/nodetest"
	"github.com/adauldev/octaskly/queue/task"
)

// rootNode is how nodes are started here: their tasks write where this test can
// read, and it runs as root.
var rootNode = []string{"--sandbox-level", "none", "--allow-root-tasks", "--api", "off"}

// control is the cluster as seen from host 1, through its node's socket.
func (l *lan) control() (control.Control, func()) { return l.controlOf(1) }

// controlOf is the cluster as seen from host i, through its node's socket.
func (l *lan) controlOf(i int) (control.Control, func()) {
	l.t.Helper()
	home := filepath.Join(l.dir, l.ns(i))
	data := filepath.Join(home, ".local", "share", "octaskly")
	p := config.Paths{
		Data: data, Cluster: filepath.Join(data, "cluster"), Nodes: filepath.Join(data, "nodes"),
		State: filepath.Join(home, ".local", "state", "octaskly"), Runtime: filepath.Join(home, "run", "octaskly"),
	}
	cfg := config.Default()
	var c control.Control
	end := func() {}
	l.until(fmt.Sprintf("an answer of host %d", i), func() (bool, string) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		found, closer, err := client.Dial(ctx, &cfg, p, "test")
		if err == nil {
			c, end = found, func() { _ = closer.Close() }
		}
		return err == nil, fmt.Sprint(err)
	})
	return c, end
}

// cluster starts a dispatcher on host 1 and workers on all others, by invites.
func (l *lan) cluster(n int) {
	l.t.Helper()
	l.start(1, append([]string{"--headless", "dispatcher", "--max-jobs", "0"}, rootNode...)...)
	file := l.codeFile("--uses", fmt.Sprint(n))
	for i := 2; i <= n; i++ {
		l.start(i, append([]string{"--headless", "worker", "--max-jobs", "4", "--cpu-cores", "4", "--join-file", file}, rootNode...)...)
	}
	l.until("all workers up", func() (bool, string) {
		out, err := l.run(1, "nodes", "--json")
		return strings.Count(out, `"state":"up"`) == n, fmt.Sprint(out, err)
	})
}

// codeFile is a file with a new invite of host 1.
func (l *lan) codeFile(args ...string) string {
	l.t.Helper()
	code := l.invite(args...)
	f, err := os.CreateTemp(l.dir, "code")
	l.must(err)
	_, err = f.WriteString(code)
	l.must(errors.Join(err, f.Close()))
	return f.Name()
}

// A cutting is one way of cutting host 2 off, and of undoing it.
type cutting struct {
	name      string
	cut, plug func(l *lan)
}

func (l *lan) link(state string) { l.ip("-n", l.name+"s", "link", "set", "v2", state) }

// drop loses everything that leaves by a device, until pass. A route into a black
// hole would not do: packets that name their interface, as QUIC's do, ignore it.
func (l *lan) drop(ns, dev string) {
	l.tc("-n", ns, "qdisc", "add", "dev", dev, "root", "bfifo", "limit", "1")
}
func (l *lan) pass(ns, dev string) { l.tc("-n", ns, "qdisc", "del", "dev", dev, "root") }

func (l *lan) tc(args ...string) {
	l.t.Helper()
	if out, err := osexec.Command("tc", args...).CombinedOutput(); err != nil {
		l.t.Skipf("SKIPPED: tc %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

var cuttings = []cutting{
	{"is unplugged", func(l *lan) { l.link("down") }, func(l *lan) { l.link("up") }},
	{"hears nothing", func(l *lan) { l.drop(l.name+"s", "v2") }, func(l *lan) { l.pass(l.name+"s", "v2") }},
	{"is not heard", func(l *lan) { l.drop(l.ns(2), "eth0") }, func(l *lan) { l.pass(l.ns(2), "eth0") }},
}

// load is tasks under way in a cluster, and what is known of them from outside.
type load struct {
	l       *lan
	c       control.Control
	witness string
	h       nodetest.History
	ended   map[task.ID]string // as it was first seen to have ended
	batches int
}

// add submits 25 tasks: short and long, a fifth of them to be run at most once.
// Each says its fence.
func (d *load) add() {
	d.l.t.Helper()
	tasks := make([]control.NewTask, 25)
	for k := range tasks {
		spec := task.Spec{Shell: nodetest.WitnessLine(d.witness) + "; echo $OCTASKLY_FENCE; sleep " + []string{"0.05", "0.3", "1"}[k%3], Need: task.Need{CPU: 100}}
		if k%5 == 0 {
			spec.Delivery = task.AtMostOnce
		}
		tasks[k] = control.NewTask{Spec: spec, Key: fmt.Sprintf("%d-%d", d.batches, k)}
		d.h.Record(task.Event{Kind: task.EvSubmitCall, Key: tasks[k].Key, Hash: spec.Delivery.String(), By: "me"})
	}
	d.batches++
	r, err := d.c.Submit(d.l.t.Context(), control.SubmitRequest{Tasks: tasks})
	d.l.must(err)
	for k, x := range r.Results {
		d.h.Record(task.Event{Kind: task.EvSubmitOK, Key: tasks[k].Key, Hash: tasks[k].Spec.Delivery.String(), By: "me", Task: x.ID, Delivery: tasks[k].Spec.Delivery})
	}
}

// look lists everything, and fails when an end has changed.
func (d *load) look() (all []task.Task, open int) {
	d.l.t.Helper()
	q := control.Query{Oldest: true, Limit: 500}
	for {
		p, err := d.c.List(d.l.t.Context(), q)
		d.l.must(err)
		if all = append(all, p.Tasks...); !p.More {
			break
		}
		q.After = all[len(all)-1].ID
	}
	for i := range all {
		x := &all[i]
		if !x.State.Terminal() {
			open++
			continue
		}
		end := x.State.String()
		if a := x.Last(); a != nil {
			end += fmt.Sprintf(" %v %v", a.Fence, a.Exit)
		}
		if was, known := d.ended[x.ID]; known && was != end {
			d.l.t.Errorf("task %d had ended as %q and is now %q", x.ID, was, end)
		}
		d.ended[x.ID] = end
	}
	return all, open
}

// TestCutWorker: while tasks run, a worker is cut off for longer than its lease
// and comes back, at last under another address. No task is recorded twice, no
// late result overwrites another, nothing that may run once runs twice, and the
// worker goes on.
func TestCutWorker(t *testing.T) {
	cuts := 1
	if os.Getenv("OCTASKLY_LONG") != "" {
		cuts = 20
	}
	l := newLAN(t, 3)
	l.cluster(3)
	c, end := l.control()
	defer end()
	d := &load{l: l, c: c, witness: filepath.Join(l.dir, "witness"), ended: map[task.ID]string{}}
	for i := range cuts {
		cut := cuttings[(i+1)%len(cuttings)]
		d.add()
		l.until("work on host 2", func() (bool, string) { n := l.node(c, 2); return n.Used.Tasks > 0, fmt.Sprint(n.State, n.Used) })
		cut.cut(l)
		l.until("host 2 being lost while it "+cut.name, func() (bool, string) {
			if _, open := d.look(); open < 15 {
				d.add()
			}
			n := l.node(c, 2)
			return n.State == control.NodeLost || n.State == control.NodeAway, string(n.State)
		})
		if i == cuts-1 { // it comes back under another address
			l.ip("-n", l.ns(2), "addr", "add", "10.77.0.102/24", "dev", "eth0")
			l.ip("-n", l.ns(2), "addr", "del", "10.77.0.2/24", "dev", "eth0")
			l.ip("-n", l.ns(2), "addr", "replace", "10.77.0.102/24", "dev", "eth0")
		}
		cut.plug(l)
		l.until("host 2 coming back", func() (bool, string) { n := l.node(c, 2); return n.State == control.NodeUp, string(n.State) })
		d.look()
	}
	d.add()
	l.until("work on host 2 at its new address", func() (bool, string) {
		if _, open := d.look(); open < 5 {
			d.add()
		}
		n := l.node(c, 2) // it may be reached over IPv6 as well
		return n.Used.Tasks > 0 && !strings.HasPrefix(n.Addr, "10.77.0.2:"), fmt.Sprint(n.Addr, n.Used)
	})
	l.until("the end of all tasks", func() (bool, string) { _, open := d.look(); return open == 0, fmt.Sprint(open, " open") })
	d.judge(cuts)
}

func (l *lan) node(c control.Control, i int) control.Node {
	l.t.Helper()
	nodes, err := c.Nodes(l.t.Context())
	l.must(err)
	for _, n := range nodes {
		if n.Name == fmt.Sprintf("host%d", i) {
			return n
		}
	}
	return control.Node{}
}

// judge compares what is recorded with what the tasks themselves wrote down.
func (d *load) judge(cuts int) {
	t := d.l.t
	all, _ := d.look()
	f, err := os.Open(d.witness)
	d.l.must(err)
	defer f.Close()
	runs, err := nodetest.ReadWitness(f)
	d.l.must(err)
	events := append(d.h.Events(), task.Event{Kind: task.EvReadCall, Read: 1})
	lost := 0
	for i := range all {
		x := &all[i]
		events = append(events, task.Event{Kind: task.EvSeen, Read: 1, Task: x.ID, State: x.State})
		switch {
		case x.State == task.Lost && x.Spec.Delivery == task.AtMostOnce:
			lost++
		case x.State != task.Done:
			t.Errorf("task %d is %s", x.ID, x.State)
		default:
			said, a := strings.TrimSpace(string(x.Last().Output.Inline)), x.Last()
			if want := fmt.Sprintf("%d.%d", a.Fence.Term, a.Fence.Attempt); !strings.HasSuffix(said, fmt.Sprintf("%c%s", len(want)+1, want)) {
				t.Errorf("task %d: the result of %s has the output of %q", x.ID, want, said)
			}
		}
	}
	events = append(append(events, task.Event{Kind: task.EvReadOK, Read: 1}), runs...)
	for _, v := range nodetest.Check(events, nodetest.CheckOptions{Witnessed: true, Complete: true, Lossy: true, CrashLimit: 2 * cuts}) {
		t.Error(v)
	}
	once := map[task.ID]int{}
	for _, e := range runs {
		once[e.Task]++
	}
	for i := range all {
		if all[i].Spec.Delivery == task.AtMostOnce && once[all[i].ID] > 1 {
			t.Errorf("task %d, to be run at most once, ran %d times", all[i].ID, once[all[i].ID])
		}
	}
	if len(all) != 25*d.batches {
		t.Errorf("%d tasks of %d submits", len(all), 25*d.batches)
	}
	t.Logf("%d cuts, %d tasks, %d runs, %d lost", cuts, len(all), len(runs), lost)
}
