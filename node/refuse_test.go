package node

import (
	"slices"
	"strings"
	"testing"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/queue/task"
)

// TestInvitedRoles: an invite gives what was asked for and no more; only an admin
// is a worker and a client too.
func TestInvitedRoles(t *testing.T) {
	for role, want := range map[task.Role][]task.Role{
		"":                  defaultRoles,
		task.RoleWorker:     {task.RoleWorker},
		task.RoleClient:     {task.RoleClient},
		task.RoleAdmin:      {task.RoleAdmin, task.RoleWorker, task.RoleClient},
		task.RoleDispatcher: nil,
		"king":              nil,
	} {
		got, err := invitedRoles(role)
		if !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("invited as %q: %v, %v; want %v", role, got, err, want)
		}
	}
}

// TestBindOnce: a second --bind is not ignored.
func TestBindOnce(t *testing.T) {
	conn, err := bind(&config.Config{Bind: []string{"127.0.0.1", "127.0.0.2"}}, false)
	if conn != nil {
		_ = conn.Close()
	}
	if task.KindOf(err) != task.KindUsage || !strings.Contains(err.Error(), "2 times") {
		t.Errorf("two --bind: %v", err)
	}
}
