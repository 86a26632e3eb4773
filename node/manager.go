package node

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// announce tells the service manager, if there is one. A private node is not
// what it has started.
func (n *Node) announce(state string) {
	if n.opt.Private {
		return
	}
	if _, err := daemon.SdNotify(false, state); err != nil && !errors.Is(err, os.ErrNotExist) {
		n.log.Debug("notify the service manager", "error", err)
	}
}

// pingManager tells a service manager that wants to know that the loops of
// this node go round, until ctx ends.
func (n *Node) pingManager(ctx context.Context) {
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil || limit == 0 || n.opt.Private {
		return
	}
	pings(ctx, limit/2, n.alive, func() { n.announce(daemon.SdNotifyWatchdog) })
}

// pings calls ping once in every period as long as alive says yes within it. A
// loop that hangs makes alive hang: then there is no ping.
func pings(ctx context.Context, every time.Duration, alive func(context.Context) error, ping func()) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		asked, cancel := context.WithTimeout(ctx, every)
		if alive(asked) == nil {
			ping()
		}
		cancel()
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// alive returns when the loops of the roles have come round.
func (n *Node) alive(ctx context.Context) error {
	if err := n.worker.Alive(ctx); err != nil {
		return err
	}
	if l := n.leads(); l != nil {
		return l.disp.Alive(ctx)
	}
	return nil
}
