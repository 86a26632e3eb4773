package node

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/trust"
)

func TestRenew(t *testing.T) {
	dir := t.TempDir()
	cfg := config.Default()
	cfg.NodeDir = filepath.Join(dir, "node")
	n, err := New(Options{
		Config: &cfg, Role: task.RoleDispatcher, Private: true, Logger: slog.New(slog.DiscardHandler),
		Paths: config.Paths{Cluster: filepath.Join(dir, "cluster"), Nodes: filepath.Join(dir, "nodes"), State: dir},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer n.close()
	if err := n.startLeading(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer n.leads().close()
	stranger, err := trust.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}

	before := n.membership.Load()
	chain, err := n.leads().members.Renew(n.ID(), n.id.Public())
	if err != nil {
		t.Fatal(err)
	}
	n.renewed(chain)
	after := n.membership.Load()
	if after == before || after.ClusterID() != before.ClusterID() || !after.May(task.RoleDispatcher) {
		t.Errorf("after renewal: cluster %s with roles %v, want %s with those it had", after.ClusterID(), after.Roles(), before.ClusterID())
	}
	if _, err := n.leads().members.Renew(n.ID(), stranger.Public()); task.KindOf(err) != task.KindNotAllowed {
		t.Errorf("another node's key was renewed: %v", err)
	}
	if _, err := n.leads().members.Renew(stranger.ID(), stranger.Public()); task.KindOf(err) != task.KindNotAllowed {
		t.Errorf("a stranger got a certificate: %v", err)
	}
}
