package node

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/dispatch"
	"github.com/adauldev/octaskly/node/worker"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// keepUplink keeps the worker connected to whichever node dispatches, until ctx
// ends.
func (n *Node) keepUplink(ctx context.Context) {
	var tries retries
	waiting := task.Kind("") // why it waits, as the log says
	for ctx.Err() == nil {
		var err error
		if l := n.leads(); l != nil {
			err = n.workForSelf(ctx, l)
		} else {
			err = n.workForOther(ctx)
		}
		if err == nil {
			tries, waiting = retries{}, ""
			continue
		}
		if ctx.Err() != nil || errors.Is(err, worker.ErrLeft) {
			return
		}
		member := n.membership.Load() != nil
		err = explainRefusal(err, n.membership.Load(), time.Now())
		why := reasonOf(err, member, n.cfg.Dispatcher != "")
		if why == turnedAway || why == clusterFull {
			n.up.refused(err)
		}
		tries.failed(why)
		if kind := task.KindOf(err); waiting == "" || kind == task.KindFull && waiting != kind {
			waiting = kind
			n.log.Info("waiting for a dispatcher", "because", strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		n.log.Debug("no dispatcher", "error", err, "tries", tries.count)
		n.pause(ctx, tries)
	}
}

// pause waits before the next try, less if something changes meanwhile.
func (n *Node) pause(ctx context.Context, tries retries) {
	least, most := tries.wait()
	rest := time.NewTimer(least)
	defer rest.Stop()
	select {
	case <-ctx.Done():
	case <-rest.C:
	}
	t := time.NewTimer(most - least)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-n.changed:
	}
}

// workForSelf connects the worker to the dispatcher in this node.
func (n *Node) workForSelf(ctx context.Context, l *leading) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := n.worker.Serve(ctx, selfLink{d: l.disp, p: dispatch.Peer{ID: n.id.ID(), Addr: "this node"}, wg: &wg})
	if err == nil {
		err = errors.New("the connection to this node's own dispatcher ended")
	}
	return err
}

// workForOther finds the dispatcher and works for it until the session ends. It
// returns nil when there was a session.
func (n *Node) workForOther(ctx context.Context) error {
	if n.ep == nil {
		return control.NoDispatcher()
	}
	s, err := n.peers.FindDispatcher(ctx)
	if err != nil {
		return err
	}
	defer s.Close(0, "")
	n.log.Info("dispatcher found", "node", s.Peer().Name, "addr", s.Peer().Addr)
	n.up.set(s)
	defer n.up.drop()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer s.Close(0, "")
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wg.Go(func() { n.serveSession(ctx, s) })
	wg.Go(func() { n.renewInTime(ctx, s) })
	wg.Go(func() { n.peers.KeepExchanging(ctx, s) })
	err = n.worker.Serve(ctx, sessionLink{s})
	if errors.Is(err, worker.ErrOldTerm) {
		n.log.Warn("audit: refused to obey a dispatcher of an older term", "peer", s.Peer().Name, "id", string(s.Peer().ID), "error", err)
	}
	switch {
	case ctx.Err() != nil:
		return nil
	case errors.Is(err, worker.ErrLeft), errors.Is(err, worker.ErrOldTerm),
		task.KindOf(err) == task.KindFull, task.KindOf(err) == task.KindNoDispatcher:
		return err
	}
	if errors.Is(err, quicnet.ErrRemoved) {
		n.log.Warn("audit: removed from the cluster", "by", s.Peer().Name, "id", string(s.Peer().ID))
		out := task.Errorf(task.KindNotAllowed, "this node was removed from the cluster of %s", s.Peer().Name).
			WithHint("to come back: octaskly purge here, then join again as a new node")
		n.up.expelled(out)
		return out
	}
	n.log.Warn("dispatcher away: what runs goes on", "node", s.Peer().Name, "because", err)
	return nil
}

// sessionLink is the worker's link over a session.
type sessionLink struct{ s *quicnet.Session }

var _ worker.Link = sessionLink{}

func (l sessionLink) Open(ctx context.Context, kind wire.StreamKind) (wire.Stream, error) {
	st, err := l.s.Open(ctx, kind)
	if err != nil {
		return nil, err
	}
	return st, nil
}

func (l sessionLink) RTT() time.Duration { return l.s.RTT() }
