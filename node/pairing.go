package node

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// pairing is the code that a node shows while it is no member.
type pairing struct {
	mu   sync.Mutex
	code trust.Code
	ends time.Time
}

// codeFile holds the pairing code for `octaskly identity`.
const codeFile = "code"

// applicant is this node's side of joining when a dispatcher dials it.
type applicant struct{ n *Node }

var _ quicnet.Applicant = applicant{}

// Code is always good for a while: it is renewed before it expires.
func (a applicant) Code() (trust.Code, bool) { return a.n.pairingCode() }

func (n *Node) pairingCode() (trust.Code, bool) {
	if n.membership.Load() != nil || n.opt.Private || n.opt.Role == task.RoleDispatcher {
		return trust.Code{}, false
	}
	c, fresh, err := n.pair.current(time.Now())
	if err != nil {
		n.log.Error("make a pairing code", "error", err)
		return trust.Code{}, false
	}
	if !fresh {
		return c, true
	}
	path := filepath.Join(n.slot.Path(), codeFile)
	_ = os.Remove(path) // so that the new file has its own mode
	if err := os.WriteFile(path, []byte(c.Text()+"\n"), 0o600); err != nil {
		n.log.Warn("the pairing code could not be written down", "error", err)
	}
	return c, true
}

// renewBefore is how long before its end a code is replaced, so that whoever
// reads it has the time to type it.
const renewBefore = time.Minute

// current is the code of the moment, and whether it was made just now.
func (p *pairing) current(now time.Time) (c trust.Code, fresh bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.code.Zero() && now.Before(p.ends.Add(-renewBefore)) {
		return p.code, false, nil
	}
	if c, err = trust.NewCode(); err != nil {
		return trust.Code{}, false, err
	}
	p.code, p.ends = c, now.Add(shortLife)
	return c, true, nil
}

// How long a node tries to become a member without anybody before it shows its
// code, and how often it looks whether there is a new one.
const (
	showAfter = 2 * time.Second
	showEvery = 5 * time.Second
)

// showCode keeps the code of the moment before a person's eyes while this node is
// no member, until ctx ends.
func (n *Node) showCode(ctx context.Context) {
	if n.opt.Join != "" {
		return
	}
	t := time.NewTimer(showAfter)
	defer t.Stop()
	for shown := (trust.Code{}); ; t.Reset(showEvery) {
		select {
		case <-ctx.Done():
			_ = os.Remove(filepath.Join(n.slot.Path(), codeFile)) // nobody is let in by it any more
			return
		case <-t.C:
		}
		if c, ok := n.pairingCode(); ok && !c.Equal(shown) {
			shown = c
			if n.opt.ShowCode != nil {
				n.opt.ShowCode(c.Text())
			}
		}
	}
}

// Confirm lets whoever typed the code that this node shows have it, if the
// person at its screen agrees.
func (a applicant) Confirm(ctx context.Context, from quicnet.Offer) error {
	if err := a.n.asker.confirm(ctx, from); err != nil {
		return err
	}
	a.n.log.Warn("audit: let into a cluster that may now run commands here", "cluster", short(from.Cluster), "by", from.Name, "addr", from.Addr)
	return nil
}

func (a applicant) Joined(m *trust.Membership, g wire.JoinGrant) error { return a.n.joined(m, g) }

// joined keeps a membership that was just given.
func (n *Node) joined(m *trust.Membership, g wire.JoinGrant) error {
	if old := n.membership.Load(); old != nil && old.ClusterID() != m.ClusterID() {
		return task.Errorf(task.KindConflict, "this node belongs to another cluster already")
	}
	if err := n.setMembership(m); err != nil {
		return err
	}
	_ = os.Remove(filepath.Join(n.slot.Path(), codeFile))
	if g.Name != "" {
		n.setName(g.Name)
	}
	n.remember(g.Dispatcher, g.Addrs)
	n.log.Info("member of the cluster", "cluster", short(m.ClusterID()), "as", n.Name())
	return nil
}

// joinWith becomes a member with a code, at the first place where it is good. A
// node that has said no is not asked again at its other addresses.
func (n *Node) joinWith(ctx context.Context, code trust.Code, places []place) error {
	if len(places) == 0 {
		return task.Errorf(task.KindNoDispatcher, "no dispatcher was found to join").
			WithHint("name its address with --dispatcher HOST")
	}
	var all []error
	said := map[task.NodeID]bool{}
	for _, p := range places {
		if p.id != "" && said[p.id] {
			continue
		}
		_, _, err := n.ep.Join(ctx, p.addr, code, n.joined)
		if err == nil {
			return nil
		}
		said[p.id] = task.KindOf(err) == task.KindNotAllowed
		if !slices.ContainsFunc(all, func(e error) bool { return e.Error() == err.Error() }) {
			all = append(all, err)
		}
	}
	if len(all) == 1 {
		return all[0]
	}
	return errors.Join(all...)
}

// rememberFile holds where the dispatcher was last: its id, then its addresses.
const rememberFile = "dispatcher"

// remember writes down where the dispatcher is, for the next start.
func (n *Node) remember(id task.NodeID, addrs []string) {
	if id == "" || len(addrs) == 0 {
		return
	}
	text := string(id) + "\n" + strings.Join(addrs, "\n") + "\n"
	if err := os.WriteFile(filepath.Join(n.slot.Path(), rememberFile), []byte(text), 0o600); err != nil {
		n.log.Warn("the dispatcher's address could not be written down", "error", err)
	}
}

// remembered is where the dispatcher was last.
func remembered(dir string) (task.NodeID, []string) {
	b, err := os.ReadFile(filepath.Join(dir, rememberFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	lines := strings.Fields(string(b))
	if len(lines) < 2 {
		return "", nil
	}
	id, err := trust.ParseNodeID(lines[0])
	if err != nil {
		return "", nil
	}
	return id, lines[1:]
}

func short(id string) string { return id[:min(8, len(id))] }

func joinLines(l []string) string { return strings.Join(l, "\n") }
