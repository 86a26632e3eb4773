package nodetest

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/adauldev/octaskly/exec"
	"github.com/adauldev/octaskly/exec/exectest"
	"github.com/adauldev/octaskly/node"
	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/quictest"
	"github.com/adauldev/octaskly/quicnet/trust"
)

// ClusterOptions say what a Cluster is made of.
type ClusterOptions struct {
	Workers int    // beside the dispatcher
	Slots   int    // of each worker; 0 is 2
	Works   int    // slots of the dispatcher itself; 0 is none
	Most    int    // workers that the dispatcher takes; 0 is no limit
	Seed    uint64 // of the LAN
	Logger  *slog.Logger

	// Behave says what a pretended command does; nil is exectest.Interpret.
	Behave func(exec.Spec) exectest.Script
}

// Cluster is whole nodes on a LAN in memory: the dispatcher first, then the
// workers. Commands are pretended, and each says from outside that it ran. It
// is made for a testing/synctest bubble, and works without one too.
type Cluster struct {
	LAN     *quictest.LAN
	History *History
	CA      *trust.CA
	Members []*Member

	t   testing.TB
	opt ClusterOptions
}

// Member is one place for a node: its directory, its address, and the node that
// runs there now, if any.
type Member struct {
	Name string
	Host string // address on the LAN
	ID   task.NodeID

	c    *Cluster
	role task.Role
	dir  string
	jobs int
	join string // a code, of one that is no member yet

	turn  chan struct{} // taken by who starts or stops it; a mutex would stop the bubble's clock
	conn  *quictest.Sock
	drain context.CancelFunc
	cut   context.CancelFunc
	done  chan struct{} // nil while it is down

	mu  sync.Mutex
	ctl control.Control // nil while it is down
}

// NewCluster makes the members of a cluster and starts all of them. They are
// stopped when the test ends, unless Stop was called.
func NewCluster(t testing.TB, opt ClusterOptions) *Cluster {
	t.Helper()
	if opt.Slots == 0 {
		opt.Slots = 2
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	ca, err := trust.NewCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{LAN: quictest.NewLAN(opt.Seed), History: &History{}, CA: ca, t: t, opt: opt}
	c.LAN.SetLatency(time.Millisecond, 2*time.Millisecond)
	c.add("disp", task.RoleDispatcher, opt.Works)
	for i := range opt.Workers {
		c.add(fmt.Sprintf("w%d", i+1), task.RoleWorker, opt.Slots)
	}
	for _, m := range c.Members {
		m.Start()
	}
	t.Cleanup(c.Stop)
	return c
}

// add makes a member whose membership is in its directory already.
func (c *Cluster) add(name string, role task.Role, jobs int) {
	c.t.Helper()
	m := &Member{
		Name: name, Host: fmt.Sprintf("10.0.0.%d", len(c.Members)+1), c: c, role: role, jobs: jobs,
		dir: filepath.Join(c.t.TempDir(), name), turn: make(chan struct{}, 1),
	}
	d, err := trust.OpenDir(m.nodeDir())
	c.must(err)
	id, err := d.Identity()
	c.must(err)
	roles := []task.Role{task.RoleWorker, task.RoleClient}
	if role == task.RoleDispatcher {
		roles = []task.Role{task.RoleWorker, task.RoleDispatcher, task.RoleClient, task.RoleAdmin}
		home, err := trust.OpenDir(filepath.Join(m.dir, "cluster"))
		c.must(err)
		c.must(home.SaveCA(c.CA))
	}
	ms, err := c.CA.Enrol(id, roles, time.Now())
	c.must(err)
	c.must(d.SaveMembership(ms))
	m.ID = id.ID()
	c.Members = append(c.Members, m)
}

// Newcomer starts a worker that is no member yet and joins with a code.
func (c *Cluster) Newcomer(name, code string) *Member {
	c.t.Helper()
	m := &Member{
		Name: name, Host: fmt.Sprintf("10.0.%d.%d", 1+len(c.Members)/200, len(c.Members)%200+1), c: c, role: task.RoleWorker, jobs: c.opt.Slots,
		dir: filepath.Join(c.t.TempDir(), name), turn: make(chan struct{}, 1), join: code,
	}
	d, err := trust.OpenDir(m.nodeDir())
	c.must(err)
	id, err := d.Identity()
	c.must(err)
	m.ID = id.ID()
	c.Members = append(c.Members, m)
	m.Start()
	return m
}

func (c *Cluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// Dispatcher is the member that dispatches.
func (c *Cluster) Dispatcher() *Member { return c.Members[0] }

// Stop ends all nodes in good order, the workers first.
func (c *Cluster) Stop() {
	for i := len(c.Members) - 1; i >= 0; i-- {
		c.Members[i].Stop(false)
	}
}

func (m *Member) nodeDir() string { return filepath.Join(m.dir, "node") }

// Start starts the member's node, if it is down, and waits until it listens.
func (m *Member) Start() {
	m.c.t.Helper()
	m.turn <- struct{}{}
	defer func() { <-m.turn }()
	if m.done != nil {
		return
	}
	conn, err := m.c.LAN.Listen(m.Host + ":7878")
	m.c.must(err)
	cfg := config.Default()
	cfg.Name, cfg.NodeDir, cfg.MaxJobs, cfg.CPUCores = m.Name, m.nodeDir(), m.jobs, float64(max(1, m.jobs))
	cfg.SandboxLevel, cfg.DrainTimeout = "none", 2*time.Second
	cfg.MaxWorkers = m.c.opt.Most
	if m.role != task.RoleDispatcher {
		cfg.Dispatcher = m.c.Dispatcher().Host + ":7878"
	}
	begun := time.Now()
	n, err := node.New(node.Options{
		Config: &cfg, Role: m.role, Join: m.join, Version: "test", Logger: m.c.opt.Logger.With("at", m.Name), Private: true,
		Paths: config.Paths{Data: m.dir, Cluster: filepath.Join(m.dir, "cluster"), Nodes: filepath.Join(m.dir, "nodes"), State: m.dir},
		Conn:  conn, Runner: &witness{Runner: exectest.Runner{Behave: m.c.opt.Behave}, h: m.c.History, node: string(m.ID)}, History: m.c.History.For(string(m.ID)),
		Clock: func() time.Duration { return time.Since(begun) },
	})
	m.c.must(err)
	drain, stopDrain := context.WithCancel(context.Background())
	cut, stopCut := context.WithCancel(context.Background())
	ready := make(chan control.Control, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := n.Run(drain, cut, func(c control.Control) { ready <- c }); err != nil && cut.Err() == nil {
			m.c.t.Errorf("node %s: %v", m.Name, err)
		}
	}()
	m.conn, m.drain, m.cut, m.done = conn, stopDrain, stopCut, done
	select {
	case ctl := <-ready:
		m.set(ctl)
	case <-done:
		m.c.t.Errorf("node %s ended before it was ready", m.Name)
	}
	m.c.History.Record(task.Event{Kind: task.EvRestart, Node: string(m.ID)})
}

// Stop ends the member's node and returns when it has. An abrupt end takes its
// socket away first, so that nobody hears of it.
func (m *Member) Stop(abrupt bool) {
	m.turn <- struct{}{}
	defer func() { <-m.turn }()
	if m.done == nil {
		return
	}
	m.set(nil)
	if abrupt {
		_ = m.conn.Close()
		m.cut()
	}
	m.drain()
	<-m.done
	m.cut()
	_ = m.conn.Close()
	m.done = nil
	if abrupt {
		m.c.History.Record(task.Event{Kind: task.EvCrash, Node: string(m.ID)})
	}
}

func (m *Member) set(ctl control.Control) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ctl = ctl
}

// Control is the cluster as seen through this member, or nil while it is down.
func (m *Member) Control() control.Control {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ctl
}

// witness pretends to run commands and says from outside that each ran.
type witness struct {
	exectest.Runner
	h    *History
	node string
}

var _ exec.Starter = (*witness)(nil)

func (w *witness) Start(ctx context.Context, s exec.Spec) (exec.Run, error) {
	r, err := w.Runner.Start(ctx, s)
	if err != nil {
		return nil, err
	}
	e, perr := parseWitness(lineOf(s, r.PID()))
	if perr != nil {
		e = task.Event{Kind: task.EvFault, Text: perr.Error()}
	}
	e.Node = w.node
	w.h.Record(e)
	return r, nil
}

// lineOf is what the command of WitnessLine would write.
func lineOf(s exec.Spec, pid int) string {
	v := map[string]string{}
	for _, kv := range s.Env {
		for i := range kv {
			if kv[i] == '=' {
				v[kv[:i]] = kv[i+1:]
				break
			}
		}
	}
	return fmt.Sprintf("%s,%s,%s,%d", v["OCTASKLY_TASK_ID"], v["OCTASKLY_ATTEMPT"], v["OCTASKLY_FENCE"], pid)
}
