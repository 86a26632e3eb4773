package member

import (
	"slices"
	"testing"

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
