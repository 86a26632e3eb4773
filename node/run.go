package node

import (
	"context"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/tuning"
	"github.com/adauldev/octaskly/node/worker"
	"github.com/adauldev/octaskly/queue/task"
)

// sweepTime is how long a node kills what an earlier run left running, which may be
// thousands of processes on a machine that they keep busy. What will not go ends it
// much sooner.
const sweepTime = time.Minute

// goodbyeTime is how long sessions may take to end in good order.
const goodbyeTime = 3 * time.Second

// Run lets the node live. When drain ends it takes no more work, lets what runs
// go on for the configured time, hands the rest back and returns; when cut ends
// it stops at once. ready is called once, when the node listens.
//
// The order of starting: the network, then what earlier runs left is killed,
// then the roles, then the faces. The order of ending: faces, intake, work,
// sessions, the network, the queue.
func (n *Node) Run(drain, cut context.Context, ready func(control.Control)) error {
	tuning.CalmMonitor()
	defer n.close()
	drain, stopDrain := context.WithCancel(drain)
	defer stopDrain()
	cut, stopCut := context.WithCancel(cut)
	defer stopCut()
	n.endBy(stopDrain, stopCut)

	netCtx, endNet := context.WithCancel(context.Background())
	roles, endRoles := context.WithCancel(context.Background())
	faces, endFaces := context.WithCancel(context.Background())
	defer endFaces()
	defer endRoles()
	defer endNet()
	var netWG, roleWG, faceWG sync.WaitGroup
	if n.ep != nil {
		netWG.Go(func() { n.runNetwork(netCtx, stopCut) })
		n.log.Info("listening on "+n.conn.LocalAddr().String()+" (udp)", "node", n.Name(), "id", n.id.ID().Short(), "dir", n.slot.Path())
	}
	fail := func(err error) error {
		endRoles()
		roleWG.Wait()
		if l := n.leads(); l != nil {
			l.close()
		}
		endNet()
		netWG.Wait()
		return err
	}
	n.warnOfUnusedCode()
	n.sweep(cut)
	roleWG.Go(func() { _ = n.worker.Run(roles) })
	roleWG.Go(func() { n.sweepBlobs(roles) })
	roleWG.Go(func() { tuning.Trim(roles) })
	roleWG.Go(func() { n.pingManager(roles) })
	if n.opt.Role == task.RoleDispatcher {
		if err := n.dispatchFirst(cut); err != nil {
			return fail(err)
		}
	}
	close(n.settled)
	if n.peers != nil {
		roleWG.Go(func() { n.peers.Run(roles) })
	}
	roleWG.Go(func() { n.keepUplink(roles) })
	roleWG.Go(func() { n.showCode(roles) })
	if !n.opt.Private {
		l, err := n.listenLocal()
		if err != nil {
			return fail(err)
		}
		faceWG.Go(func() { n.serveLocal(faces, l) })
	}
	n.turn.End()
	if ready != nil {
		ready(n.Control())
	}
	n.announce(daemon.SdNotifyReady)

	select {
	case <-drain.Done():
	case <-cut.Done():
	}
	n.announce(daemon.SdNotifyStopping)
	n.drain(cut)
	n.leave(cut)
	endFaces()
	faceWG.Wait()
	endRoles()
	roleWG.Wait()
	l := n.leads()
	n.farewell(l)
	endNet()
	netWG.Wait()
	if l != nil {
		l.close()
	}
	n.log.Info("stopped", "node", n.Name())
	return nil
}

// warnOfUnusedCode says that a code was given to a node that needs none.
func (n *Node) warnOfUnusedCode() {
	if m := n.membership.Load(); m != nil && n.opt.Join != "" && !m.Ended(time.Now()) {
		n.log.Warn("this node is a member of a cluster already: the code was not used", "cluster", control.ShortCluster(m.ClusterID()))
	}
}

// endBy says what Stop does.
func (n *Node) endBy(drain, cut func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stop = func(now bool) {
		if now {
			cut()
		}
		drain()
	}
}

// runNetwork serves the network until ctx ends; failed is called when it ends
// before that.
func (n *Node) runNetwork(ctx context.Context, failed func()) {
	if err := n.ep.Run(ctx); err != nil && ctx.Err() == nil {
		n.log.Error("the network ended", "error", err)
		failed()
	}
}

// farewell ends the sessions in good order, then the dispatcher's part.
func (n *Node) farewell(l *leading) {
	if l != nil {
		l.disp.Goodbye()
	}
	n.goodbye()
	if l != nil {
		l.cancel()
		l.wg.Wait()
	}
}

// dispatchFirst begins as dispatcher, unless another one lives here.
func (n *Node) dispatchFirst(ctx context.Context) error {
	if n.opt.Private {
		return n.startLeading(ctx)
	}
	if name, ok := n.otherDispatcher(ctx); ok {
		return errSecond(name)
	}
	return n.startLeading(ctx)
}

// sweep kills what an earlier run of this node left running, before anybody is
// told that this node is there.
func (n *Node) sweep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	killed, err := n.runner.SweepLeftovers(ctx, worker.CookiePrefix(n.id.ID()))
	if err != nil {
		n.log.Warn("looking for what an earlier run left running", "error", err)
	}
	if killed > 0 {
		n.log.Warn("killed what an earlier run left running", "processes", killed)
	}
}

// drain lets what runs go on for the configured time.
func (n *Node) drain(cut context.Context) {
	if n.worker.Busy() > 0 && cut.Err() == nil {
		n.log.Info("draining: what runs goes on; interrupt again to stop now", "tasks", n.worker.Busy(), "for at most", n.cfg.DrainTimeout)
	}
	ctx, cancel := context.WithTimeout(cut, n.cfg.DrainTimeout)
	defer cancel()
	if cut.Err() != nil {
		return
	}
	if err := n.worker.Drain(ctx); err != nil && cut.Err() == nil {
		n.log.Warn("still busy after the drain time: stopping what runs", "tasks", n.worker.Busy())
	}
}

// leave lets the worker tell its dispatcher that it goes.
func (n *Node) leave(cut context.Context) {
	ctx, cancel := context.WithTimeout(cut, goodbyeTime)
	defer cancel()
	if err := n.worker.Leave(ctx); err != nil && cut.Err() == nil {
		n.log.Debug("leaving the dispatcher", "error", err)
	}
}

// goodbye ends the sessions so that nothing written is lost.
func (n *Node) goodbye() {
	if n.ep == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), goodbyeTime)
	defer cancel()
	var wg sync.WaitGroup
	for _, s := range n.ep.Sessions() {
		wg.Go(func() { _ = s.Shutdown(ctx) })
	}
	wg.Wait()
}
