package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/dispatch"
	"github.com/adauldev/octaskly/node/home"
	"github.com/adauldev/octaskly/node/member"
	"github.com/adauldev/octaskly/node/peers"
	"github.com/adauldev/octaskly/node/seal"
	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/raftq"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/trust"
)

// leading is the dispatcher role while this node plays it.
type leading struct {
	queue   *queue.Queue
	disp    *dispatch.Dispatcher
	members *member.Authority
	rest    *rest // nil where REST is not served

	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// allRoles are the creator's.
var allRoles = []task.Role{task.RoleWorker, task.RoleDispatcher, task.RoleClient, task.RoleAdmin}

// leaderWait is how long a lone dispatcher may take to lead its own log.
const leaderWait = 30 * time.Second

// startLeading makes this node the dispatcher. The order is: the cluster and
// our place in it, the queue, the members, and only then workers and faces.
func (n *Node) startLeading(ctx context.Context) error {
	n.mu.Lock()
	already := n.lead != nil
	n.mu.Unlock()
	if already {
		return nil
	}
	absent := n.absence()
	ca, err := n.authority()
	if err != nil {
		return err
	}
	l := &leading{}
	if err := n.openQueue(ctx, l); err != nil {
		return err
	}
	fail := func(err error) error {
		l.close()
		return err
	}
	l.members = member.New(member.Options{
		CA: ca, Queue: l.queue, Self: n.id.ID(), Endpoint: n.ep, Now: n.issueTime, Absent: absent, Logger: n.log,
		Reachable: func() []string { return peers.Reachable(n.conn) }, OnLoopback: func() []string { return peers.OnLoopback(n.conn) },
	})
	name, err := l.members.Found(ctx, n.Name(), allRoles)
	if err != nil {
		return fail(err)
	}
	n.setName(name)
	key, err := seal.Load(n.opt.Paths.Cluster)
	if err != nil {
		return fail(err)
	}
	l.disp, err = dispatch.New(dispatch.Options{
		Queue: l.queue, Node: n.id.ID(), Name: name, Cluster: ca.ClusterID(), Version: n.opt.Version,
		Dir: n.slot.Path(), TaskTimeout: n.cfg.TaskTimeout, MaxWorkers: n.cfg.MaxWorkers,
		Seal:  key,
		Renew: l.members.Renew, Identity: n.identity, Problems: n.peers.Problems, Seen: n.strangers, Logger: n.log, History: n.opt.History,
		OutputQuota: n.cfg.OutputQuota << 20,
		Stuck:       n.stuck,
	})
	if err != nil {
		return fail(err)
	}
	if l.rest, err = n.openREST(ca.ClusterID()); err != nil {
		return fail(err)
	}
	run, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	l.wg.Go(func() { _ = l.queue.Run(run) })
	l.wg.Go(func() { _ = l.disp.Run(run) })
	l.wg.Go(func() { n.renewSelf(run) })
	if l.rest != nil {
		l.wg.Go(func() { n.serveREST(run, l.rest) })
	}
	n.mu.Lock()
	n.lead = l
	n.mu.Unlock()
	n.poke()
	term, _ := l.queue.Leader()
	n.log.Info("dispatching", "cluster", ca.ClusterID()[:8], "term", term)
	return nil
}

// authority is the cluster's CA, made if this user has no cluster yet, and
// makes sure that this node is a member with all roles.
func (n *Node) authority() (*trust.CA, error) {
	dir, err := trust.OpenDir(n.opt.Paths.Cluster)
	if err != nil {
		return nil, err
	}
	ca, err := dir.LoadCA()
	if errors.Is(err, fs.ErrNotExist) {
		if m := n.membership.Load(); m != nil {
			return nil, task.Errorf(task.KindConflict, "this node belongs to the cluster %s, whose keys are on another machine", m.ClusterID()[:8]).
				WithHint("start the dispatcher there, or give this node a directory of its own with --node-dir")
		}
		if err := checkClock(time.Now()); err != nil {
			return nil, err
		}
		if ca, err = trust.NewCA(time.Now()); err == nil {
			err = dir.SaveCA(ca)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open the cluster's keys: %w", err)
	}
	m := n.membership.Load()
	now := time.Now()
	if m != nil && m.ClusterID() == ca.ClusterID() && m.May(task.RoleDispatcher) {
		if !m.RenewalDue(now) {
			return ca, nil
		}
		now = m.Now(now)
	}
	if m, err = ca.Enrol(n.id, allRoles, now); err != nil {
		return nil, err
	}
	return ca, n.setMembership(m)
}

// firstYear is before every clock that was ever set.
const firstYear = 1999

// checkClock refuses to begin a cluster by a clock that was never set: nobody
// with a right one would believe its certificates.
func checkClock(now time.Time) error {
	if now.UTC().Year() >= firstYear {
		return nil
	}
	return task.Errorf(task.KindUsage, "begin a cluster: this machine's clock says %s", now.UTC().Format(time.RFC3339)).
		WithHint("set the clock, then start again: certificates are judged by it")
}

func (n *Node) openQueue(ctx context.Context, l *leading) error {
	q, log, err := raftq.OpenQueue(queue.Options{Dir: n.slot.Path(), MaxSize: n.cfg.MaxQueueSize, Logger: n.log},
		raftq.Options{ID: n.id.ID(), Logger: n.log})
	if err != nil {
		return fmt.Errorf("open the queue: %w", err)
	}
	l.queue = q
	wait, cancel := context.WithTimeout(ctx, leaderWait)
	defer cancel()
	if _, err := log.WaitLeader(wait); err != nil {
		l.close()
		return fmt.Errorf("lead the queue's log: %w", err)
	}
	return nil
}

// close ends the role: the dispatcher first, so that nothing is proposed any
// more, then the queue.
func (l *leading) close() {
	if l.cancel != nil {
		l.cancel()
	}
	l.wg.Wait()
	if l.queue != nil {
		_ = l.queue.Close()
	}
}

// leads is the dispatcher role, or nil while this node does not play it.
func (n *Node) leads() *leading {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lead
}

// otherQueue is the directory of another node of this user that holds a queue
// of this cluster, or empty.
func (n *Node) otherQueue() string {
	for _, place := range home.Places(n.opt.Paths.Nodes) {
		if place.Dir != n.slot.Path() && home.HoldsQueue(place.Dir) {
			return place.Dir
		}
	}
	return ""
}

// strangers are the nodes that this one has seen on the network.
func (n *Node) strangers() []control.Node { return n.peers.Strangers(n.leads() != nil) }

// revoked reports whether a node was removed from the cluster.
func (n *Node) revoked(id task.NodeID) bool {
	l := n.leads()
	return l != nil && l.members.Revoked(id)
}

// renewable reports whether a node may renew a certificate that is out of its time.
func (n *Node) renewable(id task.NodeID, ended time.Time) bool {
	l := n.leads()
	return l != nil && l.members.Renewable(id, ended)
}

// admitter is the cluster's side of joining while this node dispatches.
func (n *Node) admitter() quicnet.Admitter {
	if l := n.leads(); l != nil {
		return l.members.Admitter()
	}
	return nil
}
