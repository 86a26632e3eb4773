package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/adauldev/octaskly/exec"
	"github.com/adauldev/octaskly/node/blob"
	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/home"
	"github.com/adauldev/octaskly/node/member"
	"github.com/adauldev/octaskly/node/peers"
	"github.com/adauldev/octaskly/node/remote"
	"github.com/adauldev/octaskly/node/tuning"
	"github.com/adauldev/octaskly/node/worker"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/discover"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Options say what a node is made of. Config and Paths are required.
type Options struct {
	Config  *config.Config
	Paths   config.Paths
	Role    task.Role // RoleDispatcher, RoleWorker, or empty: a worker that may be promoted
	Version string
	Logger  *slog.Logger

	PortAsked bool   // the port was set by a person: do not use another
	Join      string // a code to become a member with; empty waits to be let in
	Private   bool   // no local socket and no network: a node for one process
	REST      bool   // serve REST where Config.API says, while it dispatches

	// ShowCode shows a person the code that lets this node in, while it is no
	// member: at first and each time it changes. Nil: whoever wants it asks, by
	// Identity.
	ShowCode func(code string)

	// For tests: the socket, the runner and the clock to use instead of real
	// ones, and who is told what happens.
	Conn    net.PacketConn
	Runner  exec.Starter
	Clock   func() time.Duration // since some moment
	History task.Recorder
	Exit    func(code int) // ends the process; os.Exit
}

// Node is one instance. New builds it, Run lets it live.
type Node struct {
	opt  Options
	cfg  *config.Config
	log  *slog.Logger
	slot *home.Slot
	turn *home.Turn // to become the dispatcher, from New until programs find this node
	id   *trust.Identity
	boot string
	name atomic.Pointer[string] // as the cluster knows it, once it is a member

	conn   net.PacketConn
	ep     *quicnet.Endpoint
	runner exec.Starter
	worker *worker.Worker
	blobs  *blob.Store

	membership atomic.Pointer[trust.Membership]
	pair       pairing
	consent    member.Consent // to join, of the person who looks at a screen of this node
	peers      *peers.Peers   // nil without a network
	looks      bool           // it only looks around, to join and end
	changed    chan struct{}  // capacity one: the membership or the dispatcher changed

	mu   sync.Mutex
	lead *leading       // while this node dispatches
	stop func(now bool) // ends the node; set by Run

	settled      chan struct{} // closed when the node knows whether it starts as the dispatcher
	up           upstream      // to the dispatcher, while another node dispatches
	releaseProcs func()        // undoes what the slots asked of the runtime; nil while they asked nothing

	dispatcher *remote.Client // asks the dispatcher over up; waits for one that was lost lately
	snapshot   *remote.Client // the same, at once or not at all: for what a person watches
}

// New claims a node directory and a socket, and makes everything that belongs
// to every node. It starts nothing. The node must be run, or closed.
func New(opt Options) (*Node, error) {
	if opt.Logger == nil {
		opt.Logger = slog.Default()
	}
	if opt.Exit == nil {
		opt.Exit = os.Exit //nolint:forbidigo // the watchdog ends a process whose goroutines cannot return
	}
	n := &Node{opt: opt, cfg: opt.Config, log: opt.Logger, boot: rand.Text(), changed: make(chan struct{}, 1), settled: make(chan struct{})}
	n.stop = func(bool) {}
	n.dispatcher = remote.NewClient(&n.up, remote.Options{Patience: patience, Waits: true})
	n.snapshot = remote.NewClient(unwaiting{&n.up}, remote.Options{Patience: -1})
	ok := false
	defer func() {
		if !ok {
			n.close()
		}
	}()
	// The directory comes first: its lock keeps two nodes apart.
	var err error
	if n.slot, n.turn, err = claim(context.Background(), opt); err != nil {
		return nil, err
	}
	if n.id, err = n.slot.Identity(); err != nil {
		return nil, err
	}
	n.setName(nodeName(opt, n.slot.Number))
	if err := n.loadMembership(); err != nil {
		return nil, err
	}
	// The socket comes before the worker, so that a taken port is told at once.
	if err := n.listen(); err != nil {
		return nil, err
	}
	if n.blobs, err = blob.Open(filepath.Join(n.slot.Path(), "blobs"), blob.Limits{}); err != nil {
		return nil, err
	}
	if err := n.makeWorker(); err != nil {
		return nil, err
	}
	ok = true
	return n, nil
}

// close gives back what New took.
func (n *Node) close() {
	if r, ok := n.runner.(*exec.Runner); ok && n.opt.Runner == nil {
		_ = r.Close()
	}
	if n.releaseProcs != nil {
		n.releaseProcs()
	}
	if n.conn != nil && n.opt.Conn == nil {
		_ = n.conn.Close()
	}
	if n.blobs != nil {
		_ = n.blobs.Close()
	}
	n.turn.End()
	if n.slot != nil {
		n.slot.Release()
	}
}

// ID is the node's identity.
func (n *Node) ID() task.NodeID { return n.id.ID() }

// Name is the node's name, as the cluster knows it once it is a member.
func (n *Node) Name() string { return *n.name.Load() }

func (n *Node) setName(name string) { n.name.Store(&name) }

// nodeName is the name that a node would like to have: its owner's, or the host
// name; further nodes on a machine get their number.
func nodeName(opt Options, number int) string {
	if opt.Config.Name != "" {
		return opt.Config.Name
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "node"
	}
	host, _, _ = strings.Cut(strings.ToLower(host), ".")
	if number > 1 {
		return fmt.Sprintf("%s-%d", host, number)
	}
	return host
}

func (n *Node) loadMembership() error {
	m, err := n.slot.LoadMembership(n.id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	n.membership.Store(m)
	return nil
}

// setMembership keeps a new membership and lets the node use it.
func (n *Node) setMembership(m *trust.Membership) error {
	if err := n.slot.SaveMembership(m); err != nil {
		return fmt.Errorf("keep the membership: %w", err)
	}
	n.membership.Store(m)
	n.poke()
	if n.peers != nil {
		n.peers.SelfChanged() // it no longer asks
	}
	return nil
}

func (n *Node) poke() {
	select {
	case n.changed <- struct{}{}:
	default:
	}
}

// listen binds the UDP socket and makes the endpoint on it.
func (n *Node) listen() error {
	var err error
	switch {
	case n.opt.Conn != nil:
		n.conn = n.opt.Conn
	case n.opt.Private:
		return nil
	default:
		if n.conn, err = peers.Bind(n.cfg, n.opt.PortAsked); err != nil {
			return err
		}
	}
	key, err := n.slot.ResetKey()
	if err != nil {
		return err
	}
	n.ep = quicnet.New(quicnet.Config{
		Conn:       n.conn,
		Membership: n.membership.Load,
		Hello:      n.hello,
		OnSession:  n.serveSession,
		Revoked:    n.revoked,
		Renewable:  n.renewable,
		ResetKey:   key,
		Join:       &quicnet.JoinConfig{Identity: n.id, Admitter: n.admitter, Applicant: n.applicant},
		Logger:     n.log,
	})
	n.peers = peers.New(peers.Options{
		Config: n.cfg, ID: n.id.ID(), Dir: n.slot.Path(), Endpoint: n.ep, Membership: n.membership.Load, Self: n.aboutSelf,
		Changed: n.poke, Logger: n.log, HasCode: n.opt.Join != "", Silent: n.opt.Conn != nil, OnThisMachine: n.enrolHere, Join: n.becomeMember,
	})
	return nil
}

func (n *Node) hello() wire.Hello {
	h := wire.Hello{Name: n.Name(), Kind: wire.PeerNode, Boot: n.boot, Build: n.opt.Version, Port: n.port()}
	n.mu.Lock()
	lead := n.lead
	n.mu.Unlock()
	if lead != nil {
		h.Plays = append(h.Plays, task.RoleDispatcher)
		h.Term, _ = lead.queue.Leader()
	}
	if n.worker != nil {
		h.Plays = append(h.Plays, task.RoleWorker)
	}
	return h
}

// aboutSelf is what this node says of itself on the network.
func (n *Node) aboutSelf() discover.Self {
	s := discover.Self{Node: n.id.ID(), Name: n.Name(), Port: n.port(), Version: wire.MaxVersion, Dispatches: n.leads() != nil, Looks: n.looks}
	if m := n.membership.Load(); m != nil {
		s.Cluster = m.ClusterID()
	} else if !n.looks {
		_, s.Asks = n.pairingCode()
	}
	return s
}

func (n *Node) port() uint16 {
	if n.conn == nil {
		return 0
	}
	if a, ok := n.conn.LocalAddr().(*net.UDPAddr); ok {
		return uint16(a.Port)
	}
	return 0
}

// makeWorker makes the runner and the worker role on it.
func (n *Node) makeWorker() error {
	work := filepath.Join(n.slot.Path(), "work")
	floor, err := floorOf(n.cfg)
	if err != nil {
		return err
	}
	n.runner = n.opt.Runner
	if n.runner == nil {
		r, err := exec.NewRunner(exec.Options{
			WorkRoot: work, Levels: levelsFrom(floor), TaskUser: n.cfg.TaskUser, Protect: n.secrets(),
			AllowDirs: n.cfg.AllowDir, AllowRead: n.cfg.AllowRead, Logger: n.log,
		})
		switch {
		case err != nil && n.cfg.TaskUser != "":
			return task.Errorf(task.KindUsage, "--task-user %s: %w", n.cfg.TaskUser, err)
		case err != nil:
			return fmt.Errorf("prepare to run commands: %w", err)
		}
		n.runner = r
	}
	offer, warnings, err := n.offer(work, floor)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		n.log.Warn(w)
	}
	meter := &worker.Meter{Dir: n.slot.Path()}
	capacity := worker.CapacityOf(offer, n.runner.Capabilities())
	if n.opt.Runner == nil {
		n.releaseProcs = tuning.ForSlots(int(capacity.Slots))
	}
	n.worker, err = worker.New(worker.Options{
		Dir: n.slot.Path(), Node: n.id.ID(), Name: n.Name(), Label: n.cfg.ID, Boot: n.boot, Version: n.opt.Version,
		Capacity: capacity, Runner: n.runner, Load: meter.Load,
		OutputQuota: n.cfg.TaskOutputQuota << 20, SpoolQuota: n.cfg.OutputQuota << 20,
		Renew: n.renewalKey, Renewed: n.renewed,
		Fetch: n.fetchBlob, Warnings: warnings, Logger: n.log, Clock: n.opt.Clock, History: n.opt.History,
	})
	return err
}

// secrets are the places that no contained command may read: this user's keys,
// queues and sockets.
func (n *Node) secrets() []string {
	var all []string
	user := config.DefaultPaths() // of the user's other nodes, when this one is for one run
	for _, p := range []string{
		n.slot.Path(), n.opt.Paths.Cluster, n.opt.Paths.Nodes, n.opt.Paths.State, n.opt.Paths.Runtime,
		user.Cluster, user.Nodes, user.State, user.Runtime, user.File, n.cfg.SecretFile,
	} {
		if p != "" {
			all = append(all, p)
		}
	}
	return all
}
