package nodetest

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/quicnet/trust"
)

const day = 24 * time.Hour

// awaitUp waits until the dispatcher sees a worker.
func (c *Cluster) awaitUp(what string, worker *Member) {
	c.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		nodes, err := c.Dispatcher().Control().Nodes(c.t.Context())
		c.must(err)
		for _, n := range nodes {
			if n.ID == worker.ID && n.State == control.NodeUp {
				return
			}
		}
	}
	c.t.Fatalf("%s: the worker does not come", what)
}

// joined starts a worker that becomes a member with a code.
func (c *Cluster) joined(name string) *Member {
	c.t.Helper()
	invite, err := c.Dispatcher().Control().Invite(c.t.Context(), control.InviteRequest{})
	c.must(err)
	m := c.Newcomer(name, invite.Code)
	c.awaitUp("at first", m)
	m.join = ""
	return m
}

// membership is what a member that is down has written down.
func (m *Member) membership() (*trust.Dir, *trust.Membership) {
	m.c.t.Helper()
	dir, err := trust.OpenDir(m.nodeDir())
	m.c.must(err)
	id, err := dir.Identity()
	m.c.must(err)
	kept, err := dir.LoadMembership(id)
	m.c.must(err)
	return dir, kept
}

// reissue gives a member that is down a certificate that was made at another time.
func (m *Member) reissue(at time.Time) {
	m.c.t.Helper()
	dir, old := m.membership()
	made, err := m.c.CA.Enrol(old.Identity(), old.Roles(), at)
	m.c.must(err)
	m.c.must(dir.SaveMembership(made))
}

// inTime checks that a member that is down has a certificate that is good now.
func (m *Member) inTime(what string) {
	m.c.t.Helper()
	_, kept := m.membership()
	if kept.RenewalDue(time.Now()) {
		m.c.t.Errorf("%s: %s is left with a certificate from %s to %s", what, m.Name, kept.NotBefore(), kept.NotAfter())
	}
}

// TestAwayForWeeks: a member that was off for longer than its certificate is good
// comes back by itself; after 60 days more only with a code, and it says so.
func TestAwayForWeeks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCluster(t, ClusterOptions{Seed: 21})
		worker := c.joined("w1")
		c.Stop()
		time.Sleep(40 * day)
		c.Dispatcher().Start()
		worker.Start()
		c.awaitUp("after 40 days", worker)
		c.Stop()
		worker.inTime("after 40 days")
		c.Dispatcher().inTime("after 40 days")

		// As long as nobody could renew does not count.
		time.Sleep(100 * day)
		c.Dispatcher().Start()
		worker.Start()
		c.awaitUp("after 100 days without a dispatcher", worker)
		c.Stop()

		time.Sleep(100 * day)
		c.Dispatcher().Start()
		c.Dispatcher().Stop(false)
		c.Dispatcher().Start()
		worker.Start()
		time.Sleep(10 * time.Second)
		s, err := worker.Control().Status(t.Context())
		var said strings.Builder
		for _, f := range s.Problems {
			said.WriteString(f.Text + " " + f.Cure + "\n")
		}
		if err != nil || !strings.Contains(said.String(), "membership ended on") || !strings.Contains(said.String(), "octaskly invite") {
			t.Errorf("after 100 days with a dispatcher: %v, %s", err, said.String())
		}
		worker.Stop(false)
		invite, err := c.Dispatcher().Control().Invite(t.Context(), control.InviteRequest{})
		c.must(err)
		worker.join = invite.Code
		worker.Start()
		c.awaitUp("with a code", worker)
		c.Stop()
		worker.inTime("with a code")
	})
}

// TestClockThatWasAhead: certificates that were made by a clock that was ahead do no
// harm once it is right, whoever has them.
func TestClockThatWasAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCluster(t, ClusterOptions{Seed: 22})
		worker, disp := c.joined("w1"), c.Dispatcher()
		for _, tc := range []struct {
			name         string
			worker, disp time.Duration // ahead; 0 is a right clock
		}{
			{"the worker was 8 days ahead", 8 * day, 0},
			{"the worker was 100 days ahead", 100 * day, 0},
			{"the dispatcher was 16 days ahead", 0, 16 * day},
			{"both were 100 days ahead", 100 * day, 100 * day},
		} {
			c.Stop()
			worker.reissue(time.Now().Add(tc.worker))
			disp.reissue(time.Now().Add(tc.disp))
			disp.Start()
			worker.Start()
			c.awaitUp(tc.name, worker)
			c.Stop()
			worker.inTime(tc.name)
			disp.inTime(tc.name)
			disp.Start()
		}
	})
}
